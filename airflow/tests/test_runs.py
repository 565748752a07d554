"""Each DAG as a real run of Airflow, in one process and on SQLite, with the program itself and the simulator of the providers."""

from __future__ import annotations

import hashlib
import os
import shlex
import sqlite3
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG
from cryptos_catalog import dag_ids, load_catalog, pause_reason

pytestmark = [
    pytest.mark.usefixtures('database', 'sandbox'),
    # What Airflow itself does while it runs a task is none of ours.
    pytest.mark.filterwarnings('default'),
]
CANARY = 'canary-8f14e45fceea167a5a36dedd4bea2543'
ON_THE_WAY = """
import hashlib, os, pathlib, shlex, sys
key = os.environ['COINMARKETCAP_API_KEY']
if key in pathlib.Path('/proc/self/cmdline').read_text():
    sys.exit(2)
pathlib.Path(sys.argv[1]).write_text(hashlib.sha256(key.encode()).hexdigest())
command = [*shlex.split(sys.argv[2]), *sys.argv[3:]]
print('the key is', key, file=sys.stderr, flush=True)
os.execvp(command[0], command)
"""
CATALOG = load_catalog()
OK = {'success', 'skipped'}


@pytest.fixture(scope='module')
def dags(database: None) -> dict[str, DAG]:
    return DagBag(os.environ['AIRFLOW__CORE__DAGS_FOLDER']).dags


def run(dag: DAG, **options: Any) -> tuple[dict[str, str], dict[str, dict[str, Any]]]:
    """State and result of each task."""
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session

    done = dag.test(**options)
    with create_session() as session:
        states = {ti.task_id: str(ti.state) for ti in done.get_task_instances(session=session)}
        rows = session.query(XComModel).filter_by(dag_id=dag.dag_id, run_id=done.run_id, key='result').all()
        results = {row.task_id: XComModel.deserialize_value(row) for row in rows}
    return states, results


#: In the order of the catalog: the collectors first, so that there is something to keep house with.
IDS = [name for name in dag_ids(CATALOG) if name not in {'cryptos_freshness', 'cryptos_dead_letters'}]

#: Nothing stands in the way of the first run of these.
OPEN = {row['dag_id'] for row in CATALOG['providers'] if pause_reason(row, {}) is None}


@pytest.mark.parametrize('dag_id', IDS)
def test_each_dag_runs(dags: dict[str, DAG], dag_id: str) -> None:
    states, results = run(dags[dag_id])
    assert states
    assert set(states.values()) <= OK, results
    if dag_id in OPEN:
        assert states == {'quotes': 'success'}, results
        assert results['quotes']['records'] > 0
    for task_id, state in states.items():
        if task_id in results:
            assert results[task_id]['exitCode'] == (0 if state == 'success' else 99)


def test_dead_letters_and_freshness_end_by_what_they_find(dags: dict[str, DAG]) -> None:
    for dag_id in ('cryptos_dead_letters', 'cryptos_freshness'):
        states, results = run(dags[dag_id])
        (state,) = states.values()
        (result,) = results.values()
        assert state in {*OK, 'failed', 'up_for_retry'}
        assert result['exitCode'] in {0, 1, 99}
        assert result.get('outcome') != 'misconfigured'


def test_a_skip_has_its_reason_in_xcom(dags: dict[str, DAG]) -> None:
    # Two runs of one period, whenever the test runs.
    period_s = 120
    begins = datetime.fromtimestamp(time.time() // period_s * period_s, UTC)
    run(dags['collect_mempool'], logical_date=begins)
    states, results = run(dags['collect_mempool'], logical_date=begins + timedelta(seconds=1))
    assert states == {'quotes': 'skipped'}
    assert results['quotes']['outcome'] in {'not-due', 'already-done'}
    assert results['quotes']['reason']


def test_a_key_in_a_connection_is_used_and_shown_nowhere(
    dags: dict[str, DAG], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv('CRYPTOS_DATA_DIR', str(tmp_path / 'cryptos'))
    monkeypatch.setenv('AIRFLOW_CONN_CRYPTOS_COINMARKETCAP', f'generic://:{CANARY}@')
    monkeypatch.setenv('CRYPTOS_LOG_LEVEL', 'debug')
    # With simulated data the program never sends a key of a person: so it is looked at on its way to the program.
    before = os.environ['CRYPTOS_COMMAND']
    monkeypatch.setenv(
        'CRYPTOS_COMMAND', shlex.join([sys.executable, '-c', ON_THE_WAY, str(tmp_path / 'seen'), before])
    )
    states, results = run(dags['collect_coinmarketcap'])
    assert states == {'quotes': 'success'}, results
    assert (tmp_path / 'seen').read_text() == hashlib.sha256(CANARY.encode()).hexdigest()
    assert CANARY not in ''.join(capfd.readouterr()) + repr(results)
    kept = [path for path in Path(os.environ['AIRFLOW_HOME']).rglob('*') if path.is_file()]
    kept += [path for path in tmp_path.rglob('*') if path.is_file()]
    assert [path for path in kept if CANARY.encode() in path.read_bytes()] == []
    with sqlite3.connect(Path(os.environ['AIRFLOW_HOME'], 'airflow.db')) as database:
        assert CANARY not in '\n'.join(database.iterdump())
