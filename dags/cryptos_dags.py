"""
Every DAG of cryptos for Airflow: a loop over `airflow/catalog.json`, which is generated from the provider folders.

A collect DAG per provider, with a task per wanted dataset; housekeeping; backfill and export. Reads that one file, calls nobody,
and knows no time of its own: what a run asks for comes from the time that the run stands for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Asset, Param, get_parsing_context
from cryptos_catalog import (
    all_keys,
    load_catalog,
    pause_reason,
    topics_of,
    wanted_datasets,
)
from cryptos_operator import BackfillOperator, CollectOperator, CryptosOperator, ExportOperator
from cryptos_retry import RetryAtPolicy

Row = dict[str, Any]

CATALOG = load_catalog()
KEYS = all_keys(CATALOG)
ASSETS = {topic['name']: Asset(name=topic['name'], uri=topic['uri']) for topic in CATALOG['topics']}

#: A tick is each minute: a retry that is further away is the next ticks' business.
COLLECT_RETRY_WITHIN = timedelta(seconds=90)
#: No run of a tick is waited for longer, so that a hung one never stops the next ones.
COLLECT_RUN_TIMEOUT = timedelta(minutes=5)
HOUSEKEEPING_RUN_TIMEOUT = timedelta(hours=1)
#: Three tries of an hour, and the waits between them. A denial on the way is a skip: whoever wants the rest starts it again then.
BACKFILL_RUN_TIMEOUT = timedelta(hours=6)
RETRY_DELAY = timedelta(seconds=10)

DAY = r'^\d{4}-\d{2}-\d{2}$'
ASSET_LIST = r'^$|^[A-Za-z0-9][A-Za-z0-9:._-]*(\s*,\s*[A-Za-z0-9][A-Za-z0-9:._-]*)*$'


def dag_of(row: Row, **more: Any) -> DAG:
    """What all DAGs have in common."""
    return DAG(
        row['dag_id'],
        schedule=more.pop('schedule', row.get('schedule')),
        catchup=False,
        max_active_runs=1,
        tags=row['tags'],
        doc_md=more.pop('doc_md', row['doc']),
        default_args={'owner': row['owner'], 'retries': row['retries'], 'retry_delay': RETRY_DELAY},
        **more,
    )


def timeout_of(row: Row) -> timedelta:
    return timedelta(seconds=row['execution_timeout_s'])


def keys_for(key: Row | None) -> Row:
    """Its own key and no other provider's."""
    return {
        'keys': [key] if key else [],
        'strange_keys': [other['env'] for other in KEYS if other != key],
    }


def outlets_of(kind: str) -> list[Asset]:
    return [ASSETS[topic['name']] for topic in topics_of(CATALOG, kind)]


def collect_dag(provider: Row) -> DAG:
    """One task per wanted dataset. Where none is wanted all are there, paused: each would be skipped with its reason."""
    reason = pause_reason(provider, os.environ)
    doc = provider['doc'] if reason is None else f'**Paused:** {reason}.\n\n{provider["doc"]}'
    with dag_of(
        provider,
        doc_md=doc,
        description=f'Collects from {provider["title"]}',
        dagrun_timeout=COLLECT_RUN_TIMEOUT,
        is_paused_upon_creation=True if reason else None,
    ) as dag:
        for dataset in wanted_datasets(provider, os.environ) or provider['datasets']:
            CollectOperator(
                task_id=dataset['id'],
                provider=provider['id'],
                dataset=dataset['id'],
                doc_md=dataset.get('doc'),
                pool=provider['pool'],
                pool_slots=provider['pool_slots'],
                execution_timeout=timeout_of(provider),
                retry_policy=RetryAtPolicy(within=COLLECT_RETRY_WITHIN),
                outlets=outlets_of(dataset['kind']),
                **keys_for(provider['key']),
            )
    return dag


def housekeeping_dag(row: Row) -> DAG:
    """One command of the program, as often as the catalog says."""
    with dag_of(
        row, description='cryptos ' + ' '.join(row['command']), dagrun_timeout=HOUSEKEEPING_RUN_TIMEOUT
    ) as dag:
        CryptosOperator(
            task_id='_'.join(word for word in row['command'] if word.isalpha()),
            args=row['command'],
            keys=KEYS,
            execution_timeout=timeout_of(row),
        )
    return dag


def backfill_dag(row: Row) -> DAG:
    """By hand: first what it would cost, then the calls. The second task is skipped where the credits are not there."""
    providers = [provider['id'] for provider in CATALOG['providers'] if provider['backfill']]
    params = {
        'provider': Param(providers[0], type='string', enum=providers, description='One that has a history'),
        'assets': Param(
            'bitcoin', type='string', pattern=ASSET_LIST, description='By id or symbol, separated by commas'
        ),
        'from': Param('2026-01-01', type='string', pattern=DAY, format='date', description='First day, UTC'),
        'to': Param(
            '2026-01-08', type='string', pattern=DAY, format='date', description='First day that is not asked'
        ),
    }
    with dag_of(row, params=params, description='Past prices', dagrun_timeout=BACKFILL_RUN_TIMEOUT) as dag:
        common: Row = {'keys': KEYS, 'execution_timeout': timeout_of(row)}
        cost = BackfillOperator(task_id='cost', shows_cost=True, **common)
        backfill = BackfillOperator(task_id='backfill', outlets=outlets_of('history'), **common)
        cost.set_downstream(backfill)
    return dag


def export_dag(row: Row) -> DAG:
    """Runs on the quotes that a collector published, one run at a time, and by hand with Params."""
    params = {
        'kind': Param(
            'quotes',
            type='string',
            enum=['quotes', 'metrics', 'gaps', 'flags', 'consensus', 'serving'],
        ),
        'format': Param('csv', type='string', enum=['csv', 'jsonl']),
        'since': Param('24h', type='string', pattern=r'^[0-9]+[smhd]$', description='How far back'),
        'asset': Param(
            '', type='string', pattern=r'^$|^[A-Za-z0-9][A-Za-z0-9:._-]*$', description='Empty = all'
        ),
        'file': Param(
            'quotes.csv',
            type='string',
            pattern=r'^[A-Za-z0-9][A-Za-z0-9._-]*$',
            description='Name of the file in CRYPTOS_EXPORT_DIR (else `export` in CRYPTOS_DATA_DIR)',
        ),
    }
    with dag_of(
        row,
        schedule=[ASSETS['market.quotes.v1']],
        params=params,
        description='Stored rows into a file',
        dagrun_timeout=HOUSEKEEPING_RUN_TIMEOUT,
    ) as dag:
        # It reads stored rows: no key is its business.
        ExportOperator(task_id='export', execution_timeout=timeout_of(row), **keys_for(None))
    return dag


def wanted_rows() -> Iterator[tuple[Callable[[Row], DAG], Row]]:
    """Each row of the catalog with its builder; in a task's process the row of its DAG alone."""
    only = get_parsing_context().dag_id
    rows = [
        *((collect_dag, row) for row in CATALOG['providers']),
        *((housekeeping_dag, row) for row in CATALOG['housekeeping']),
        (backfill_dag, CATALOG['backfill']),
        (export_dag, CATALOG['export']),
    ]
    return ((build, row) for build, row in rows if only in {None, row['dag_id']})


for _build, _row in wanted_rows():
    globals()[_row['dag_id']] = _build(_row)
