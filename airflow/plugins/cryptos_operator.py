"""Operators that run the program `cryptos` as a child process: 0 done, 99 skipped, 1 retried at `retryAt`, 2 failed for good."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from airflow.sdk import BaseOperator, Connection
from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException, AirflowSkipException
from airflow.sdk.log import mask_secret
from cryptos_environment import child_environment, command_of, redact, secrets_within
from cryptos_process import Child
from cryptos_result import Ended, Verdict, ended, unstarted
from cryptos_retry import CryptosError, RetryAtPolicy

#: Where the result of a run is, of a skip and of a failure too.
RESULT_KEY = 'result'
#: An audit can name thousands of rows; the database of Airflow is not the place for them.
RESULT_MAX_CHARS = 40_000

#: Types of runs that nobody asked for at that moment.
BY_THE_CLOCK = ('scheduled', 'backfill')

Key = Mapping[str, Any]


class CryptosOperator(BaseOperator):
    """
    Runs CRYPTOS_COMMAND with `args` and `--json`.

    args: the command and its options, without `--json`.
    keys: the keys of the catalog that it may use: {env, connection}. One that is a connection of Airflow (its password) goes into
        the environment of the child; one that is not is left to the environment of the process (NAME or NAME_FILE).
    strange_keys: names of the other keys; they are taken out of the child's environment.

    Raises AirflowSkipException (99), AirflowFailException (2, or no such program), CryptosError (1 and all else: retried).
    """

    template_fields: Sequence[str] = ('args',)
    ui_color = '#e8f1fb'

    def __init__(
        self,
        *,
        args: Sequence[str] = (),
        keys: Sequence[Key] = (),
        strange_keys: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault('retry_policy', RetryAtPolicy())
        super().__init__(**kwargs)
        self.args = list(args)
        self.keys = [dict(key) for key in keys]
        self.strange_keys = list(strange_keys)
        self._child: Child | None = None
        self._is_killed = False

    def arguments(self, context: Mapping[str, Any]) -> list[str]:
        """What the program is started with, without `--json`. For subclasses."""
        return list(self.args)

    def execute(self, context: Any) -> None:
        secrets = self._connection_keys()
        environment = child_environment(
            os.environ, secrets=secrets, strange_keys=self.strange_keys, spender=spender_of(context)
        )
        hidden = sorted(secrets_within(environment), key=len, reverse=True)
        for secret in hidden:
            mask_secret(secret)
        try:
            end = self._run(self.arguments(context), environment, hidden)
        except BaseException:
            # A timeout: what the program said when it was told to end.
            said = self._child and self._child.close()
            if said:
                self._push(context, ended(said[0], redact(said[1], hidden)))
            raise
        self._push(context, end)
        self._raise(end)

    def on_kill(self) -> None:
        """SIGTERM, 3.5 s, SIGKILL, for the whole group. Called in a signal handler too, maybe before the program is started."""
        self._is_killed = True
        if self._child is not None:
            self._child.stop()

    def _run(self, args: Sequence[str], environment: Mapping[str, str], hidden: Sequence[str]) -> Ended:
        command = command_of(os.environ, [*args, '--json'])
        self._child = child = Child(lambda line: self.log.info('%s', redact(line, hidden)))
        if self._is_killed:
            return unstarted(Verdict.RETRY, 'aborted', 'told to stop before the program was started')
        self.log.info('Starting %s', ' '.join(command))
        try:
            child.start(command, environment)
            if self._is_killed:
                child.stop()
            code, last_line = child.wait()
        except OSError as cause:
            reason = f'CRYPTOS_COMMAND: {command[0]} can not be started ({cause.strerror})'
            return unstarted(Verdict.NEVER, 'misconfigured', reason)
        finally:
            # A timeout unwinds through here before on_kill: nothing is left then.
            child.close()
        return ended(code, redact(last_line, hidden))

    def _push(self, context: Any, end: Ended) -> None:
        self.log.info('%s', end.reason)
        context['ti'].xcom_push(key=RESULT_KEY, value=for_xcom(end.result))

    def _raise(self, end: Ended) -> None:
        if end.verdict is Verdict.SKIPPED:
            raise AirflowSkipException(end.reason)
        if end.verdict is Verdict.NEVER:
            raise AirflowFailException(end.reason)
        if end.verdict is Verdict.RETRY:
            raise CryptosError(end.reason, end.retry_at)

    def _connection_keys(self) -> dict[str, str]:
        found = {str(key['env']): _password_of(str(key['connection'])) for key in self.keys}
        return {env: password for env, password in found.items() if password}


class CollectOperator(CryptosOperator):
    """One sweep of a dataset of a provider in the slot of the run, if the planner finds it due or a person asks."""

    template_fields: Sequence[str] = ()

    def __init__(self, *, provider: str, dataset: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.provider = provider
        self.dataset = dataset

    def arguments(self, context: Mapping[str, Any]) -> list[str]:
        return [
            *('collect', self.provider, '--dataset', self.dataset),
            # Who starts a run by hand, or makes an asset by hand, wants a price now: the planner is not asked, the quota is.
            *(['--if-due'] if context['dag_run'].run_type in BY_THE_CLOCK else []),
            *slot_of(context),
            *('--spender', spender_of(context)),
        ]


class BackfillOperator(CryptosOperator):
    """Past prices by the Params provider, assets, from and to. `shows_cost`: sends nothing, and skips when the credits are not there."""

    template_fields: Sequence[str] = ()

    def __init__(self, *, shows_cost: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shows_cost = shows_cost

    def arguments(self, context: Mapping[str, Any]) -> list[str]:
        params = context['params']
        options = {f'--{name}': str(params[name] or '') for name in ('assets', 'from', 'to')}
        return [
            *('backfill', str(params['provider'])),
            *(f'{option}={value}' for option, value in options.items() if value),
            *(['--dry-run', '--require-credits'] if self.shows_cost else []),
        ]


class ExportOperator(CryptosOperator):
    """Stored rows into a file of the folder CRYPTOS_EXPORT_DIR, by the Params kind, format, asset, since and file."""

    template_fields: Sequence[str] = ()

    def arguments(self, context: Mapping[str, Any]) -> list[str]:
        params = context['params']
        folder = export_folder(os.environ)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        asset = str(params['asset'] or '')
        return [
            *('export', f'--kind={params["kind"]}', f'--format={params["format"]}'),
            *(f'--since={params["since"]}', f'--out={folder / str(params["file"])}'),
            *([f'--asset={asset}'] if asset else []),
        ]


def export_folder(environ: Mapping[str, str]) -> Path:
    """CRYPTOS_EXPORT_DIR, or `export` in the data folder."""
    told = environ.get('CRYPTOS_EXPORT_DIR')
    return Path(told) if told else Path(environ.get('CRYPTOS_DATA_DIR', '.cryptos')) / 'export'


def spender_of(context: Mapping[str, Any]) -> str:
    """Who spends: `<DAG id>/<run id>`."""
    return f'{context["dag"].dag_id}/{context["run_id"]}'


def slot_of(context: Mapping[str, Any]) -> list[str]:
    """
    The time that the run stands for, never the clock: its data interval's start, else its logical date. A run without either (by
    hand, or by an asset) stands for no period: its slots carry its id.
    """
    time = context.get('data_interval_start') or context.get('logical_date')
    if time is not None:
        return ['--slot', _iso(time)]
    return ['--slot', _iso(context['dag_run'].run_after), '--run', str(context['run_id'])]


def _iso(time: datetime) -> str:
    return time.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%S.%fZ')


def for_xcom(result: dict[str, Any]) -> dict[str, Any]:
    """The result; of one that is too large what it says about itself, without its lists and tables."""
    if len(json.dumps(result)) <= RESULT_MAX_CHARS:
        return result
    short = {name: value for name, value in result.items() if not isinstance(value, list | dict)}
    return {**{name: str(value)[:2_000] for name, value in short.items()}, 'shortened': True}


def _password_of(connection: str) -> str | None:
    try:
        return Connection.get(connection).password or None
    except AirflowNotFoundException:
        return None
