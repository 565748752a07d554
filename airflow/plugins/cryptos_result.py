"""The end of the program as a value: exit code and the last line of stdout. Needs no Airflow."""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any


class Verdict(Enum):
    """The four exit codes of the program, and no others."""

    DONE = 0
    RETRY = 1
    NEVER = 2
    SKIPPED = 99


@dataclass(frozen=True)
class Ended:
    """How a run of the program ended. `result` is its JSON, or one made here where it left none."""

    verdict: Verdict
    reason: str
    result: dict[str, Any]
    #: Not before then; only with RETRY.
    retry_at: datetime | None = None


def ended(exit_code: int, last_line: str) -> Ended:
    """
    A program that was killed, left an unknown exit code, or said 0 without a result has broken its word: worth a retry, because
    asking for the same slot again spends nothing twice.
    """
    result = _json_object(last_line)
    if result is None:
        how = _how(exit_code)
        result = {'ok': False, 'outcome': 'failed', 'reason': f'the program {how} and left no result'}
        verdict = Verdict.NEVER if exit_code == 2 else Verdict.RETRY
    else:
        verdict = Verdict(exit_code) if exit_code in {0, 2, 99} else Verdict.RETRY
    reason = str(result.get('reason') or result.get('text') or result.get('outcome') or _how(exit_code))
    retry_at = _time(result.get('retryAt')) if verdict is Verdict.RETRY else None
    return Ended(verdict, reason, {**result, 'exitCode': exit_code}, retry_at)


def unstarted(verdict: Verdict, outcome: str, reason: str) -> Ended:
    """Of a program that never ran."""
    return Ended(verdict, reason, {'ok': False, 'outcome': outcome, 'reason': reason})


def _json_object(line: str) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _how(exit_code: int) -> str:
    if exit_code >= 0:
        return f'ended with exit code {exit_code}'
    try:
        return f'was ended by {signal.Signals(-exit_code).name}'
    except ValueError:
        return f'was ended by signal {-exit_code}'


def _time(text: object) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo else None


def wait_until(retry_at: datetime, now: datetime) -> timedelta:
    """How long to wait for that time: never less than nothing."""
    return max(retry_at - now, timedelta())


def is_too_late(retry_at: datetime, needs: timedelta, ends_at: datetime | None) -> bool:
    """Whether a try at that time could not end before the DAG run does."""
    return ends_at is not None and retry_at + needs > ends_at
