"""The child of a task, with real processes: what it ignores, floods, leaves behind. Runs without Airflow: python3 -m unittest."""

import os
import signal
import subprocess
import sys
import textwrap
import time
import unittest
from pathlib import Path

PLUGINS = Path(__file__).resolve().parent.parent / 'plugins'
sys.path.insert(0, str(PLUGINS))

from cryptos_process import LINES_MAX, Child


def program(text: str) -> list[str]:
    return [sys.executable, '-c', textwrap.dedent(text)]


def is_alive(pid: int) -> bool:
    try:
        return 'zombie' not in Path(f'/proc/{pid}/status').read_text(encoding='utf-8')
    except OSError:
        return False


def gone(pid: int) -> bool:
    until = time.monotonic() + 20
    while is_alive(pid) and time.monotonic() < until:
        time.sleep(0.05)
    return not is_alive(pid)


class ChildTest(unittest.TestCase):
    def run_program(self, text: str) -> tuple[int, str, list[str]]:
        lines: list[str] = []
        child = Child(lines.append)
        child.start(program(text), os.environ)
        try:
            code, last = child.wait()
        finally:
            child.close()
        return code, last, lines

    def stopped_when_told(self, text: str, grace_s: float = 30) -> tuple[int, str, list[str]]:
        """Stopped from inside its own `wait`, as a signal handler does it, at its first line of stderr."""
        lines: list[str] = []

        def tell(line: str) -> None:
            lines.append(line)
            if len(lines) == 1:
                child.stop()

        child = Child(tell, grace_s)
        child.start(program(text), os.environ)
        try:
            code, last = child.wait()
        finally:
            child.close()
        return code, last, lines

    def test_the_last_line_of_stdout_is_the_result_whatever_stderr_says_after_it(self) -> None:
        code, last, lines = self.run_program("""
            import sys
            print('progress'); print('{"ok":true}'); sys.stdout.flush()
            print('late warning', file=sys.stderr)
            raise SystemExit(99)
        """)
        self.assertEqual((code, last, lines), (99, '{"ok":true}', ['late warning']))

    def test_a_last_line_without_its_end_and_one_of_a_megabyte(self) -> None:
        self.assertEqual(self.run_program("print('a'); print('b', end='')")[1], 'b')
        self.assertEqual(len(self.run_program("print('a'); print('x' * 1_000_000)")[1]), 1_000_000)
        self.assertEqual(self.run_program('pass')[1], '')

    def test_a_flood_on_stderr_neither_blocks_nor_fills_the_log(self) -> None:
        code, last, lines = self.run_program(f"""
            import sys
            for i in range({LINES_MAX} * 2): print('line', i, file=sys.stderr)
            sys.stderr.write('x' * 100_000)
            print('done')
        """)
        self.assertEqual((code, last), (0, 'done'))
        self.assertLessEqual(len(lines), LINES_MAX + 1)
        self.assertIn('further lines are not shown', lines[-1])

    def test_a_program_that_heeds_sigterm_gives_its_result(self) -> None:
        code, last, _ = self.stopped_when_told("""
            import signal, sys, time
            def end(*_):
                print('{"outcome":"aborted"}', flush=True)
                sys.exit(1)
            signal.signal(signal.SIGTERM, end)
            print('ready', file=sys.stderr, flush=True)
            time.sleep(120)
        """)
        self.assertEqual((code, last), (1, '{"outcome":"aborted"}'))

    def test_a_program_that_ignores_sigterm_is_killed_with_all_that_it_started(self) -> None:
        code, _, lines = self.stopped_when_told(
            """
            import signal, subprocess, sys, time
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            other = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(120)'])
            print(other.pid, file=sys.stderr, flush=True)
            time.sleep(120)
            """,
            grace_s=0.3,
        )
        self.assertEqual(code, -signal.SIGKILL)
        self.assertTrue(gone(int(lines[0])))

    def test_what_an_ended_program_left_behind_is_ended_too(self) -> None:
        code, last, _ = self.run_program("""
            import subprocess, sys
            other = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(120)'])
            print(other.pid)
        """)
        self.assertEqual(code, 0)
        self.assertTrue(gone(int(last)))

    def test_a_stop_before_the_start_and_after_the_end_does_nothing(self) -> None:
        child = Child(lambda _: None)
        child.stop()
        child.start(program('pass'), os.environ)
        child.wait()
        child.stop()
        child.close()
        child.close()

    def test_the_child_of_a_killed_task_runner_gets_sigterm(self) -> None:
        runner = f"""
            import os, sys
            sys.path.insert(0, {str(PLUGINS)!r})
            from cryptos_process import Child
            child = Child(lambda line: print(line, flush=True))
            sleeper = 'import os, sys, time; print(os.getpid(), file=sys.stderr, flush=True); time.sleep(120)'
            child.start([sys.executable, '-c', sleeper], os.environ)
            child.wait()
        """
        with subprocess.Popen(program(runner), stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            pid = int(process.stdout.readline())
            self.assertTrue(is_alive(pid))
            process.kill()
        self.assertTrue(gone(pid))


if __name__ == '__main__':
    unittest.main()
