"""
A child process that never outlives its task. Needs no Airflow.

It leads a session of its own, so a signal reaches all that it starts. stdout and stderr stay apart: lines of stderr are told as
they come, of stdout only the last line is kept, because that is the result. Pipes are read by `os.read` alone: `stop` may run in a
signal handler that interrupted `wait`, where a buffered reader refuses to be entered twice.
"""

from __future__ import annotations

import ctypes
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

#: The supervisor of a task kills its runner 5 s after SIGTERM; the program ends within 3 s.
GRACE_S = 3.5
#: Pipes that a grandchild holds open after the leader's end are waited for so long.
DRAIN_S = 0.5
#: Of one line; the rest of a longer one is told as further lines.
LINE_MAX_BYTES = 8_192
#: Of the result.
RESULT_MAX_BYTES = 4_000_000
#: A program that floods stderr fills no disk: further lines are counted only.
LINES_MAX = 5_000

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def _die_with(parent_pid: int) -> Callable[[], None]:
    """Run in the child between fork and exec: the kernel sends SIGTERM when the task runner dies, even of SIGKILL."""

    def prepare() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent_pid:
            os._exit(1)

    return prepare


class Child:
    """One run of a command, without a shell. `tell` gets the lines of stderr."""

    def __init__(self, tell: Callable[[str], None], grace_s: float = GRACE_S) -> None:
        self._tell = tell
        self._grace_s = grace_s
        self._process: subprocess.Popen[bytes] | None = None
        self._open: set[int] = set()
        self._stderr = bytearray()
        self._line = bytearray()
        self._last = b''
        self._told = 0

    def start(self, command: Sequence[str], env: Mapping[str, str]) -> None:
        """Raises OSError where the command can not be started."""
        self._process = subprocess.Popen(  # noqa: S603 - a fixed command of the installation, no shell
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(env),
            start_new_session=True,
            restore_signals=True,
            # One thread runs a task, so nothing can hold a lock between fork and exec.
            preexec_fn=_die_with(os.getpid()),
        )
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                os.set_blocking(pipe.fileno(), False)
                self._open.add(pipe.fileno())

    def wait(self) -> tuple[int, str]:
        """Exit code (negative = signal) and last line of stdout, when the program and all that it started have ended."""
        while not self._has_ended():
            self._read(0.2)
        return self._finish()

    def stop(self) -> None:
        """SIGTERM, time to clean up, SIGKILL: for the whole group. Safe in a signal handler, twice, and after the end."""
        if self._process is None or self._process.returncode is not None:
            return
        self._signal(signal.SIGTERM)
        until = time.monotonic() + self._grace_s
        while not self._has_ended() and time.monotonic() < until:
            self._read(0.05)
        self._signal(signal.SIGKILL)
        while not self._has_ended():
            self._read(0.05)

    def close(self) -> tuple[int, str] | None:
        """After `wait`, or in place of it: nothing of the group is left, and no pipe. As `wait` tells it; None = was never started."""
        if self._process is None:
            return None
        self.stop()
        end = self._finish()
        self._open.clear()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
        return end

    def _finish(self) -> tuple[int, str]:
        process = self._running()
        until = time.monotonic() + DRAIN_S
        while self._open and time.monotonic() < until:
            self._read(0.05)
        # Before the leader is reaped, so that its number can not be another group's by now.
        if process.returncode is None:
            self._signal(signal.SIGKILL)
        code = process.wait()
        self._read(0)
        self._flush()
        return code, (self._last or bytes(self._line)).decode('utf-8', 'replace').strip()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError('the child was not started')
        return self._process

    def _has_ended(self) -> bool:
        """Without reaping it."""
        process = self._running()
        if process.returncode is not None:
            return True
        try:
            return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return True

    def _signal(self, which: signal.Signals) -> None:
        process = self._running()
        try:
            os.killpg(process.pid, which)
        except (ProcessLookupError, PermissionError):
            return

    def _read(self, timeout_s: float) -> None:
        """What is there now; waits for it at most so long."""
        if not self._open:
            time.sleep(min(timeout_s, 0.02))
            return
        with selectors.DefaultSelector() as selector:
            for fd in tuple(self._open):
                selector.register(fd, selectors.EVENT_READ)
            ready = [key.fd for key, _ in selector.select(timeout_s)]
        for fd in ready:
            self._take(fd)

    def _take(self, fd: int) -> None:
        try:
            data = os.read(fd, 65_536)
        except BlockingIOError:
            return
        except OSError:
            data = b''
        process = self._running()
        if not data:
            self._open.discard(fd)
        elif process.stderr is not None and fd == process.stderr.fileno():
            self._stderr += data
            self._tell_lines()
        else:
            self._keep_last(data)

    def _keep_last(self, data: bytes) -> None:
        *whole, rest = (bytes(self._line) + data).split(b'\n')
        self._last = next((line for line in reversed(whole) if line.strip()), self._last)[:RESULT_MAX_BYTES]
        if rest.strip():
            self._last = b''
        self._line = bytearray(rest[:RESULT_MAX_BYTES])

    def _tell_lines(self) -> None:
        while (end := self._stderr.find(b'\n')) >= 0 or len(self._stderr) > LINE_MAX_BYTES:
            size = min(end if end >= 0 else LINE_MAX_BYTES, LINE_MAX_BYTES)
            line = bytes(self._stderr[:size])
            del self._stderr[: size + (1 if size == end else 0)]
            self._tell_line(line)

    def _tell_line(self, line: bytes) -> None:
        self._told += 1
        if line.strip() and self._told <= LINES_MAX:
            self._tell(line.decode('utf-8', 'replace').rstrip())

    def _flush(self) -> None:
        if self._stderr:
            line = bytes(self._stderr)
            self._stderr.clear()
            self._tell_line(line)
        if self._told > LINES_MAX:
            self._tell(f'({self._told - LINES_MAX} further lines are not shown)')
            self._told = 0
