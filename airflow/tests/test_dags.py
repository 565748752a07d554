"""The DAGs as Airflow reads them: one per row of the catalog, without an error or a warning."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from airflow.dag_processing.dagbag import DagBag
from cryptos_catalog import dag_ids, load_catalog
from cryptos_retry import RetryAtPolicy

CATALOG = load_catalog()


def read_dags(datasets: str | None = None) -> DagBag:
    """Anew, as with that CRYPTOS_DATASETS."""
    with pytest.MonkeyPatch.context() as patch:
        if datasets:
            patch.setenv('CRYPTOS_DATASETS', datasets)
        bag = DagBag(os.environ['AIRFLOW__CORE__DAGS_FOLDER'])
    assert bag.import_errors == {}
    return bag


@pytest.fixture(scope='module')
def dags() -> dict:
    return read_dags().dags


def test_one_dag_for_each_row(dags: dict) -> None:
    assert sorted(dags) == sorted(dag_ids(CATALOG))


def test_each_dag_says_what_it_is_and_ends(dags: dict) -> None:
    for dag in dags.values():
        assert 'cryptos' in dag.tags
        assert dag.doc_md
        assert dag.owner == 'cryptos'
        assert dag.catchup is False
        assert dag.max_active_runs == 1
        assert dag.dagrun_timeout
        for task in dag.tasks:
            assert task.owner == 'cryptos'
            assert task.execution_timeout
            assert isinstance(task.retry_policy, RetryAtPolicy)


@pytest.mark.parametrize('row', CATALOG['providers'], ids=lambda row: row['id'])
def test_a_collect_dag_is_as_its_row_says(dags: dict, row: dict) -> None:
    dag = dags[row['dag_id']]
    assert dag.schedule == row['schedule']
    assert dag.tags == set(row['tags'])
    assert bool(dag.is_paused_upon_creation) is (bool(row['disabled']) or not row['listed'])
    if not row['disabled'] and not row['listed']:
        assert dag.doc_md.startswith('**Paused:** CRYPTOS_PROVIDERS is not set')
    if row['disabled']:
        assert row['disabled'] in dag.doc_md
    assert [task.task_id for task in dag.tasks] == [d['id'] for d in row['datasets'] if d['kind'] == 'quotes']
    for task in dag.tasks:
        assert (task.pool, task.pool_slots, task.retries) == (row['pool'], row['pool_slots'], row['retries'])
        assert task.execution_timeout == timedelta(seconds=row['execution_timeout_s'])
        assert [(asset.name, asset.uri) for asset in task.outlets] == [
            ('market.quotes.v1', 'x-kafka://market.quotes.v1')
        ]
        others = {other['key']['env'] for other in CATALOG['providers'] if other['key']}
        assert set(task.strange_keys) == others - {key['env'] for key in task.keys}


@pytest.mark.parametrize('row', CATALOG['housekeeping'], ids=lambda row: row['dag_id'])
def test_a_housekeeping_dag_is_as_its_row_says(dags: dict, row: dict) -> None:
    dag = dags[row['dag_id']]
    (task,) = dag.tasks
    assert dag.schedule == row['schedule']
    assert task.args == row['command']
    assert (task.retries, task.outlets) == (row['retries'], [])


def test_wanted_datasets_are_tasks_with_the_topic_of_their_kind() -> None:
    dags = read_dags('market,metrics').dags
    tasks = {
        task.task_id: [asset.name for asset in task.outlets] for task in dags['collect_coinmarketcap'].tasks
    }
    assert tasks == {'listings': ['market.quotes.v1'], 'global': ['market.metrics.v1']}
    kraken = dags['collect_kraken']
    assert kraken.is_paused_upon_creation is True
    assert 'wants no dataset of Kraken' in kraken.doc_md


def test_a_task_reads_its_own_dag_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('_AIRFLOW_PARSING_CONTEXT_DAG_ID', 'collect_kraken')
    assert list(read_dags().dags) == ['collect_kraken']


def test_the_export_runs_on_published_quotes_and_the_backfill_by_hand(dags: dict) -> None:
    assert 'market.quotes.v1' in repr(dags['cryptos_export'].timetable.asset_condition)
    backfill = dags['cryptos_backfill']
    assert backfill.schedule is None
    assert backfill.get_task('cost').downstream_task_ids == {'backfill'}
    assert backfill.get_task('backfill').outlets[0].name == 'market.quotes.v1'


@pytest.mark.parametrize(
    ('dag_id', 'params'),
    [
        ('cryptos_backfill', {'provider': '--source=live'}),
        ('cryptos_backfill', {'assets': '--dry-run'}),
        ('cryptos_backfill', {'assets': 'bitcoin; rm'}),
        ('cryptos_backfill', {'from': '2026-1-1'}),
        ('cryptos_export', {'file': '../quotes.csv'}),
        ('cryptos_export', {'file': '/etc/passwd'}),
        ('cryptos_export', {'since': '--out=x'}),
        ('cryptos_export', {'asset': '-x'}),
    ],
)
def test_params_let_no_option_and_no_path_through(dags: dict, dag_id: str, params: dict) -> None:
    with pytest.raises(Exception, match='Invalid input'):
        dags[dag_id].params.update(params)


def test_no_dag_has_a_key_in_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('COINMARKETCAP_API_KEY', 'canary-0123456789')
    for dag in read_dags().dags.values():
        assert 'canary' not in repr([vars(task) for task in dag.tasks])
