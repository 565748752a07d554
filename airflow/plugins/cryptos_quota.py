"""The numbers of the quota page: what `cryptos quota status --json` says, asked at most every ten seconds. Needs no Airflow."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from cryptos_environment import child_environment, command_of, redact, secrets_within

#: Whoever looks within that time sees the same numbers.
KEPT_S = 10.0
TIMEOUT_S = 20.0

Status = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """The newest numbers that there are (None = none yet), and one sentence about why they are not new."""

    status: Status | None
    problem: str | None


class QuotaReader:
    """One process at a time, however many look; those who wait get the answer of the one that ran."""

    def __init__(
        self,
        ask: Callable[[], Status],
        kept_s: float = KEPT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._kept_s = kept_s
        self._clock = clock
        self._lock = threading.Lock()
        self._answer = Answer(None, None)
        self._asked_at: float | None = None

    def read(self) -> Answer:
        """Never raises for a program that fails: its sentence is in `problem`, beside the last good numbers."""
        with self._lock:
            if self._asked_at is None or self._clock() - self._asked_at >= self._kept_s:
                self._answer = self._next()
                self._asked_at = self._clock()
            return self._answer

    def _next(self) -> Answer:
        try:
            return Answer(self._ask(), None)
        except QuotaError as problem:
            return Answer(self._answer.status, str(problem))


class QuotaError(Exception):
    """Why there are no numbers, in one sentence without a secret."""


def ask_program(environ: Mapping[str, str] = os.environ, timeout_s: float = TIMEOUT_S) -> Status:
    """Raises QuotaError for a program that is missing, late, failed, or says something else."""
    command = command_of(environ, ['quota', 'status', '--json'])
    try:
        ran = subprocess.run(  # noqa: S603 - a fixed command of the installation, no shell
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=child_environment(environ, secrets={}, spender='airflow/quota-page'),
            timeout=timeout_s,
            start_new_session=True,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise QuotaError(f'cryptos quota status gave no answer within {timeout_s:g} s') from None
    except OSError as cause:
        raise QuotaError(f'CRYPTOS_COMMAND: {command[0]} can not be started ({cause.strerror})') from cause
    return _status_of(ran.returncode, ran.stdout, secrets_within(environ))


def _status_of(code: int, stdout: bytes, secrets: list[str]) -> Status:
    lines = stdout.decode('utf-8', 'replace').strip().splitlines()
    try:
        status = json.loads(lines[-1]) if lines else None
    except ValueError:
        status = None
    if not isinstance(status, dict):
        raise QuotaError(f'cryptos quota status ended with exit code {code} and left no result')
    if code != 0 or not isinstance(status.get('scopes'), list):
        said = redact(str(status.get('reason') or 'no scopes'), secrets)
        raise QuotaError(f'cryptos quota status ended with exit code {code}: {said}')
    return status


def run_link(base: str, dag: object, run: object, known: frozenset[str]) -> str | None:
    """The page of the DAG run; None for a spender that is no DAG of ours."""
    if not isinstance(dag, str) or not isinstance(run, str) or dag not in known or not run:
        return None
    return f'{base}/dags/{quote(dag, safe="")}/runs/{quote(run, safe="")}'


def number(value: object) -> str:
    """1234567 → 1,234,567; a missing one as a dash."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return '–' if value is None else str(value)
    return f'{value:,}'


def moment(value: object) -> str:
    """2026-11-21T12:00:00.000000Z → 2026-11-21 12:00:00 UTC; a missing one as a dash."""
    text = str(value or '')
    if len(text) < 19 or text[10] != 'T':
        return text or '–'
    return f'{text[:10]} {text[11:19]} UTC'
