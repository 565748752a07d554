"""The operators with a real child process; a small program stands for the CLI only where a signal or a broken word is the matter."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import textwrap
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import Connection, RetryAction
from airflow.sdk.bases.operator import ExecutorSafeguard
from airflow.sdk.exceptions import (
    AirflowFailException,
    AirflowNotFoundException,
    AirflowSkipException,
    AirflowTaskTimeout,
)
from airflow.sdk.execution_time.timeout import timeout
from airflow.utils.types import DagRunType
from cryptos_operator import (
    BackfillOperator,
    CollectOperator,
    CryptosOperator,
    ExportOperator,
    for_xcom,
    slot_of,
)
from cryptos_retry import CryptosError, RetryAtPolicy

CANARY = 'canary-5d41402abc4b2a76b9719d911017c592'
KEY = {'env': 'COINMARKETCAP_API_KEY', 'connection': 'cryptos_coinmarketcap', 'required': False}


@pytest.fixture(autouse=True)
def _outside_of_a_task_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ExecutorSafeguard, 'test_mode', True)


class Pushed(dict[str, Any]):
    def xcom_push(self, key: str, value: Any) -> None:
        self[key] = json.loads(json.dumps(value))


def context_of(**more: Any) -> dict[str, Any]:
    run = SimpleNamespace(run_after=datetime(2026, 11, 21, 12, tzinfo=UTC), run_type='scheduled')
    return {
        'ti': Pushed(),
        'dag': SimpleNamespace(dag_id='collect_x', dagrun_timeout=None),
        'run_id': 'scheduled__2026-11-21T12:00:00+00:00',
        'dag_run': run,
        **more,
    }


def standing_in(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """A program that stands for the CLI; its arguments are sys.argv[1:]."""
    monkeypatch.setenv('CRYPTOS_COMMAND', shlex.join([sys.executable, '-c', textwrap.dedent(text)]))


def saying(code: int, **result: Any) -> str:
    return f'import sys; print({json.dumps(result)!r}); sys.exit({code})'


def test_zero_is_success_with_its_result(monkeypatch: pytest.MonkeyPatch) -> None:
    standing_in(monkeypatch, saying(0, ok=True, outcome='collected', reason='6 prices', credits=1))
    context = context_of()
    CryptosOperator(task_id='t', args=['x']).execute(context)
    assert context['ti'] == {
        'result': {'ok': True, 'outcome': 'collected', 'reason': '6 prices', 'credits': 1, 'exitCode': 0}
    }


@pytest.mark.parametrize(
    ('code', 'raised'),
    [(99, AirflowSkipException), (1, CryptosError), (2, AirflowFailException), (75, CryptosError)],
)
def test_the_result_is_pushed_before_it_raises(
    monkeypatch: pytest.MonkeyPatch, code: int, raised: type[Exception]
) -> None:
    standing_in(monkeypatch, saying(code, outcome='o', reason='the minute is full'))
    context = context_of()
    with pytest.raises(raised, match='the minute is full'):
        CryptosOperator(task_id='t', args=['x']).execute(context)
    assert context['ti']['result'] == {'outcome': 'o', 'reason': 'the minute is full', 'exitCode': code}


@pytest.mark.parametrize(
    'end', ["print('no json')", 'import os; os.kill(os.getpid(), 9)', 'raise SystemExit(0)']
)
def test_a_broken_word_is_worth_a_retry(monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    standing_in(monkeypatch, end)
    context = context_of()
    with pytest.raises(CryptosError, match='left no result') as caught:
        CryptosOperator(task_id='t', args=['x']).execute(context)
    assert caught.value.retry_at is None
    assert context['ti']['result']['ok'] is False


def test_a_missing_program_fails_without_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('CRYPTOS_COMMAND', '/nowhere/cryptos')
    context = context_of()
    with pytest.raises(AirflowFailException, match='can not be started'):
        CryptosOperator(task_id='t', args=['x']).execute(context)
    assert context['ti']['result']['outcome'] == 'misconfigured'


def decide(retry_at: datetime | None, within: timedelta | None = None, **context: Any) -> Any:
    policy = RetryAtPolicy.deserialize(RetryAtPolicy(within).serialize())
    return policy.evaluate(CryptosError('r', retry_at), 1, 2, context)


def test_a_retry_is_at_retry_at_and_not_beyond_the_run() -> None:
    now = datetime.now(UTC)
    decision = decide(now + timedelta(seconds=40))
    assert decision.action is RetryAction.RETRY
    assert decision.retry_delay is not None
    assert timedelta() <= now + timedelta(seconds=40) - datetime.now(UTC) <= decision.retry_delay
    assert decision.retry_delay <= timedelta(seconds=40)
    assert decide(now - timedelta(seconds=9)).retry_delay == timedelta()
    assert decide(None).action is RetryAction.DEFAULT
    assert decide(now + timedelta(hours=1), timedelta(minutes=1)).action is RetryAction.FAIL
    dag, run = SimpleNamespace(dagrun_timeout=timedelta(minutes=5)), SimpleNamespace(start_date=now)
    task = SimpleNamespace(execution_timeout=timedelta(seconds=40))
    assert decide(now + timedelta(seconds=200), dag=dag, dag_run=run, task=task).action is RetryAction.RETRY
    assert decide(now + timedelta(seconds=280), dag=dag, dag_run=run, task=task).action is RetryAction.FAIL
    assert RetryAtPolicy().evaluate(AirflowTaskTimeout(), 1, 2).action is RetryAction.DEFAULT


def test_the_slot_is_the_time_that_the_run_stands_for() -> None:
    at = datetime(2026, 11, 21, 12, 1, tzinfo=UTC)
    slot = '2026-11-21T12:01:00.000000Z'
    assert slot_of(context_of(logical_date=at)) == ['--slot', slot]
    assert slot_of(context_of(data_interval_start=at, logical_date=at + timedelta(1))) == ['--slot', slot]
    run = context_of(logical_date=None)
    assert slot_of(run) == ['--slot', '2026-11-21T12:00:00.000000Z', '--run', run['run_id']]
    args = CollectOperator(task_id='q', provider='kraken', dataset='quotes').arguments(
        context_of(logical_date=at)
    )
    assert args == [
        *('collect', 'kraken', '--dataset', 'quotes', '--if-due', '--slot', slot),
        *('--spender', 'collect_x/scheduled__2026-11-21T12:00:00+00:00'),
    ]


@pytest.mark.parametrize(
    ('run_type', 'asks_planner'),
    [
        *((DagRunType.SCHEDULED, True), (DagRunType.BACKFILL_JOB, True), ('scheduled', True)),
        *((DagRunType.MANUAL, False), (DagRunType.ASSET_MATERIALIZATION, False), ('manual', False)),
    ],
)
def test_a_run_by_hand_asks_without_the_planner(run_type: str, asks_planner: bool) -> None:
    run = SimpleNamespace(run_after=datetime(2026, 11, 21, 12, tzinfo=UTC), run_type=run_type)
    context = context_of(dag_run=run)
    args = CollectOperator(task_id='q', provider='kraken', dataset='quotes').arguments(context)
    assert ('--if-due' in args) is asks_planner
    at = args.index('--slot')
    assert args[at : at + 4] == ['--slot', '2026-11-21T12:00:00.000000Z', '--run', context['run_id']]


def test_params_are_single_arguments(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv('CRYPTOS_EXPORT_DIR', str(tmp_path / 'out'))
    params = {'provider': 'binance', 'assets': 'bitcoin, xrp', 'from': '2026-01-01', 'to': ''}
    assert BackfillOperator(task_id='b', shows_cost=True).arguments({'params': params}) == [
        *('backfill', 'binance', '--assets=bitcoin, xrp', '--from=2026-01-01'),
        *('--dry-run', '--require-credits'),
    ]
    wanted = {'kind': 'quotes', 'format': 'csv', 'since': '1h', 'file': 'q.csv', 'asset': ''}
    assert ExportOperator(task_id='e').arguments({'params': wanted}) == [
        *('export', '--kind=quotes', '--format=csv', '--since=1h', f'--out={tmp_path / "out" / "q.csv"}'),
    ]
    assert (tmp_path / 'out').stat().st_mode & 0o777 == 0o700


def test_a_large_result_is_shortened() -> None:
    assert for_xcom({'rows': [1]}) == {'rows': [1]}
    short = for_xcom({'outcome': 'x', 'reason': 'y' * 50_000, 'rows': list(range(50_000))})
    assert len(json.dumps(short)) < 3_000
    assert short['shortened'] is True


def test_a_key_of_a_connection_is_in_no_log_no_xcom_and_no_command_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    standing_in(
        monkeypatch,
        """
        import json, os, sys, pathlib
        key = os.environ['COINMARKETCAP_API_KEY']
        line = pathlib.Path('/proc/self/cmdline').read_bytes().decode()
        print('asking with', key, file=sys.stderr)
        print(json.dumps({'reason': 'refused ' + key, 'hasKey': len(key) > 9, 'inLine': key in line,
            'others': sorted(n for n in os.environ if 'API_KEY' in n), 'airflow': [n for n in os.environ if 'AIRFLOW' in n]}))
        sys.exit(99)
        """,
    )
    monkeypatch.setenv('COINMARKETCAP_API_KEY_FILE', '/a/file/of/the/process')
    monkeypatch.setenv('COINGECKO_API_KEY', 'of-another-provider')
    monkeypatch.setattr(Connection, 'get', lambda _: SimpleNamespace(password=CANARY))
    operator = CryptosOperator(task_id='t', args=['x'], keys=[KEY], strange_keys=['COINGECKO_API_KEY'])
    context = context_of()
    with pytest.raises(AirflowSkipException) as caught:
        operator.execute(context)
    result = context['ti']['result']
    assert (result['hasKey'], result['inLine'], result['airflow']) == (True, False, [])
    assert result['others'] == ['COINMARKETCAP_API_KEY']
    assert result['reason'] == str(caught.value) == 'refused ***'
    logged = ''.join(capfd.readouterr())
    assert 'asking with ***' in logged
    assert CANARY not in logged + json.dumps(context['ti']) + repr(vars(operator))


def test_without_a_connection_the_key_of_the_process_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none(name: str) -> None:
        raise AirflowNotFoundException(name)

    standing_in(
        monkeypatch,
        "import json, os; print(json.dumps({'files': [n for n in os.environ if 'API_KEY' in n]}))",
    )
    monkeypatch.setenv('COINMARKETCAP_API_KEY_FILE', '/a/file/of/the/process')
    monkeypatch.setattr(Connection, 'get', none)
    context = context_of()
    CryptosOperator(task_id='t', args=['x'], keys=[KEY]).execute(context)
    assert context['ti']['result']['files'] == ['COINMARKETCAP_API_KEY_FILE']


STUBBORN = """
    import signal, subprocess, sys, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    other = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(120)'])
    open(sys.argv[1], 'w').write(str(other.pid))
    while True:
        print('still here', file=sys.stderr, flush=True)
        time.sleep(0.05)
"""


def is_alive(pid: int) -> bool:
    try:
        return 'zombie' not in Path(f'/proc/{pid}/status').read_text(encoding='utf-8')
    except OSError:
        return False


def test_a_timeout_leaves_no_orphan(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr('cryptos_operator.Child.__init__.__defaults__', (0.3,))
    standing_in(monkeypatch, STUBBORN)
    operator = CryptosOperator(task_id='t', args=[str(tmp_path / 'pid')])
    with pytest.raises(AirflowTaskTimeout), timeout(3):
        operator.execute(context_of())
    operator.on_kill()
    pid = int((tmp_path / 'pid').read_text())
    until = time.monotonic() + 20
    while is_alive(pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_alive(pid)


def test_a_sigterm_to_the_runner_lets_the_program_end_and_its_result_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    standing_in(
        monkeypatch,
        """
        import os, signal, sys, time
        def end(*_):
            print('{"outcome": "aborted", "reason": "stopped"}', flush=True)
            sys.exit(1)
        signal.signal(signal.SIGTERM, end)
        os.kill(os.getppid(), signal.SIGTERM)
        time.sleep(120)
        """,
    )
    operator = CryptosOperator(task_id='t', args=['x'])
    context = context_of()
    # As the task runner of Airflow does it.
    before = signal.signal(signal.SIGTERM, lambda *_: operator.on_kill())
    try:
        with pytest.raises(CryptosError, match='stopped'):
            operator.execute(context)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert context['ti']['result']['outcome'] == 'aborted'


def test_a_sigterm_before_the_start_is_not_lost(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    standing_in(monkeypatch, "import sys, time; open(sys.argv[1], 'w').close(); time.sleep(120)")
    operator = CryptosOperator(task_id='t', args=[str(tmp_path / 'started')])
    operator.on_kill()
    context = context_of()
    with pytest.raises(CryptosError, match='before the program was started'):
        operator.execute(context)
    assert context['ti']['result']['outcome'] == 'aborted'
    assert not (tmp_path / 'started').exists()


def test_a_sigterm_during_the_start_ends_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    standing_in(monkeypatch, 'import time; time.sleep(120)')
    operator = CryptosOperator(task_id='t', args=['x'])
    popen = subprocess.Popen

    def killed_on_the_way(*args: Any, **kwargs: Any) -> Any:
        # Before the operator knows its child.
        operator.on_kill()
        return popen(*args, **kwargs)

    monkeypatch.setattr('cryptos_process.subprocess.Popen', killed_on_the_way)
    with pytest.raises(CryptosError, match='SIGTERM'), timeout(60):
        operator.execute(context_of())


def test_what_the_program_says_at_a_timeout_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    standing_in(
        monkeypatch,
        """
        import signal, sys, time
        def end(*_):
            print('{"outcome": "aborted", "reason": "stopped", "credits": 1}', flush=True)
            sys.exit(1)
        signal.signal(signal.SIGTERM, end)
        time.sleep(120)
        """,
    )
    context = context_of()
    with pytest.raises(AirflowTaskTimeout), timeout(3):
        CryptosOperator(task_id='t', args=['x']).execute(context)
    assert context['ti']['result'] == {
        **{'outcome': 'aborted', 'reason': 'stopped', 'credits': 1},
        'exitCode': 1,
    }


@pytest.mark.usefixtures('sandbox')
def test_the_program_itself_the_same_slot_twice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv('CRYPTOS_DATA_DIR', str(tmp_path))
    at = datetime.now(UTC).replace(second=0, microsecond=0)
    operator = CollectOperator(task_id='quotes', provider='coinmarketcap', dataset='quotes')
    first, second = context_of(logical_date=at), context_of(logical_date=at)
    operator.execute(first)
    with pytest.raises(AirflowSkipException):
        operator.execute(second)
    assert first['ti']['result']['credits'] == 1
    again = second['ti']['result']
    assert again['outcome'] in {'already-done', 'not-due'}
    assert again['credits'] == 0
    assert os.environ['CRYPTOS_DATA_DIR'] == str(tmp_path)


@pytest.mark.usefixtures('sandbox')
def test_the_program_itself_refuses_what_it_does_not_know(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv('CRYPTOS_DATA_DIR', str(tmp_path))
    context = context_of(logical_date=datetime.now(UTC))
    with pytest.raises(AirflowFailException):
        CollectOperator(task_id='x', provider='coinmarketcap', dataset='none').execute(context)
    assert context['ti']['result']['code'] == 'CRY_USAGE'
