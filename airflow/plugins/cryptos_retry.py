"""When a task is tried again: at the time that the program named, if the run still makes sense then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import RetryDecision, RetryPolicy
from airflow.sdk.exceptions import AirflowException
from cryptos_result import is_too_late, wait_until


class CryptosError(AirflowException):
    """The program ended with 1, or broke its word. `retry_at` = not before then."""

    def __init__(self, reason: str, retry_at: datetime | None = None) -> None:
        super().__init__(reason)
        self.retry_at = retry_at


class RetryAtPolicy(RetryPolicy):
    """
    Waits exactly until `retryAt`. A time that is later than `within` from now, or so late that the try could not end within the
    DAG run's timeout, fails the task at once: the next tick asks anew, and a run that waits would keep that tick from running.
    """

    def __init__(self, within: timedelta | None = None) -> None:
        self.within = within

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Any = None
    ) -> RetryDecision:
        retry_at = getattr(exception, 'retry_at', None)
        if retry_at is None:
            return RetryDecision.default()
        now = datetime.now(UTC)
        wait = wait_until(retry_at, now)
        when = retry_at.isoformat(timespec='seconds')
        if self.within is not None and wait > self.within:
            return RetryDecision.fail(f'no sooner than {when}: a later run asks then')
        if is_too_late(retry_at, _needs(context), _ends_at(context)):
            return RetryDecision.fail(f'no sooner than {when}, after the end of this DAG run')
        return RetryDecision.retry(wait, f'retryAt {when}')

    def serialize(self) -> dict[str, Any]:
        return {'within_s': None if self.within is None else self.within.total_seconds()}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> RetryAtPolicy:
        within_s = data.get('within_s')
        return cls(None if within_s is None else timedelta(seconds=within_s))


def _needs(context: Any) -> timedelta:
    """A program that only publishes what waits, or is denied, ends within seconds: half a minute is asked for, not the worst."""
    timeout = getattr((context or {}).get('task'), 'execution_timeout', None)
    return min(timeout or timedelta(), timedelta(seconds=30))


def _ends_at(context: Any) -> datetime | None:
    run, dag = (context or {}).get('dag_run'), (context or {}).get('dag')
    started, timeout = getattr(run, 'start_date', None), getattr(dag, 'dagrun_timeout', None)
    return started + timeout if started and timeout else None
