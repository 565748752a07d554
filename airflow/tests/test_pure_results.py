"""Results, environments and the quota reader as values. Runs without Airflow: python3 -m unittest."""

import json
import sys
import threading
import unittest
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / 'plugins'))

from cryptos_environment import child_environment, command_of, redact, secrets_within
from cryptos_quota import Answer, QuotaError, QuotaReader, ask_program, moment, number, run_link
from cryptos_result import Verdict, ended, is_too_late, wait_until

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Ends(unittest.TestCase):
    def test_the_four_exit_codes(self) -> None:
        line = json.dumps({'outcome': 'x', 'reason': 'because'})
        codes = {
            0: Verdict.DONE,
            99: Verdict.SKIPPED,
            1: Verdict.RETRY,
            2: Verdict.NEVER,
            137: Verdict.RETRY,
            -9: Verdict.RETRY,
        }
        for code, verdict in codes.items():
            end = ended(code, line)
            self.assertEqual((end.verdict, end.reason, end.result['exitCode']), (verdict, 'because', code))

    def test_a_retry_has_its_time_and_a_skip_has_none(self) -> None:
        line = json.dumps({'reason': 'r', 'retryAt': '2026-11-21T12:01:00.500000Z'})
        self.assertEqual(ended(1, line).retry_at, NOW + timedelta(seconds=60.5))
        self.assertIsNone(ended(99, line).retry_at)
        for bad in ('soon', 7, None, '2026-11-21T12:00:00'):
            self.assertIsNone(ended(1, json.dumps({'retryAt': bad})).retry_at)

    def test_no_result_is_worth_a_retry_but_for_exit_code_2(self) -> None:
        for line in ('', 'Segmentation fault', '[1]', '"x"'):
            self.assertIs(ended(0, line).verdict, Verdict.RETRY)
            self.assertIs(ended(2, line).verdict, Verdict.NEVER)
        self.assertIn('SIGKILL', ended(-9, '').reason)

    def test_a_retry_waits_for_its_time_and_not_beyond_the_run(self) -> None:
        self.assertEqual(wait_until(NOW + timedelta(seconds=5), NOW), timedelta(seconds=5))
        self.assertEqual(wait_until(NOW - timedelta(seconds=5), NOW), timedelta())
        ends = NOW + timedelta(minutes=1)
        self.assertFalse(is_too_late(NOW, timedelta(seconds=60), ends))
        self.assertTrue(is_too_late(NOW, timedelta(seconds=61), ends))
        self.assertFalse(is_too_late(NOW, timedelta(days=1), None))


class Environments(unittest.TestCase):
    def test_nothing_of_airflow_and_no_strange_key_reaches_the_child(self) -> None:
        environ = {
            'PATH': '/bin',
            'AIRFLOW__DATABASE__SQL_ALCHEMY_CONN': 'postgres://u:p@h',
            'AIRFLOW_CONN_X': 'y',
            '_AIRFLOW_PROCESS_CONTEXT': 'task',
            'A_API_KEY_FILE': '/a',
            'B_API_KEY': 'b',
            'B_API_KEY_FILE': '/b',
            'CRYPTOS_SOURCE': 'sandbox',
        }
        child = child_environment(
            environ, secrets={'A_API_KEY': 'a'}, strange_keys=['A_API_KEY', 'B_API_KEY'], spender='d/r'
        )
        self.assertEqual(
            child, {'PATH': '/bin', 'CRYPTOS_SOURCE': 'sandbox', 'A_API_KEY': 'a', 'CRYPTOS_SPENDER': 'd/r'}
        )

    def test_a_key_file_of_the_process_stays_where_no_connection_takes_its_place(self) -> None:
        child = child_environment({'A_API_KEY_FILE': '/a'}, secrets={}, spender='d/r')
        self.assertEqual(child['A_API_KEY_FILE'], '/a')

    def test_the_command_is_split_but_no_shell_reads_it(self) -> None:
        self.assertEqual(command_of({}, ['x; y']), ['cryptos', 'x; y'])
        self.assertEqual(command_of({'CRYPTOS_COMMAND': 'node "/a b/c.mjs"'}, []), ['node', '/a b/c.mjs'])

    def test_secrets_are_replaced(self) -> None:
        secrets = secrets_within(
            {'A_API_KEY': 'canary-1', 'CRYPTOS_POSTGRES_PASSWORD': 'canary-2', 'X_API_KEY_FILE': '/f'}
        )
        self.assertEqual(redact('a canary-1 b canary-2 /f', secrets), 'a *** b *** /f')


class Reader(unittest.TestCase):
    def test_it_asks_once_in_ten_seconds_and_keeps_the_last_good_numbers(self) -> None:
        answers: list[dict | QuotaError] = [{'scopes': [1]}, QuotaError('it is late'), {'scopes': [2]}]
        now = [0.0]

        def ask() -> dict:
            answer = answers.pop(0)
            if isinstance(answer, QuotaError):
                raise answer
            return answer

        reader = QuotaReader(ask, 10, lambda: now[0])
        self.assertEqual([reader.read(), reader.read()], [Answer({'scopes': [1]}, None)] * 2)
        now[0] = 10
        self.assertEqual(reader.read(), Answer({'scopes': [1]}, 'it is late'))
        now[0] = 20
        self.assertEqual(reader.read(), Answer({'scopes': [2]}, None))

    def test_many_at_once_ask_once(self) -> None:
        asked: list[int] = []
        began = threading.Event()
        go_on = threading.Event()

        def ask() -> dict:
            asked.append(1)
            began.set()
            go_on.wait(20)
            return {'scopes': []}

        reader = QuotaReader(ask)
        answers: list[Answer] = []
        threads = [threading.Thread(target=lambda: answers.append(reader.read())) for _ in range(5)]
        for thread in threads:
            thread.start()
        began.wait(20)
        go_on.set()
        for thread in threads:
            thread.join(20)
        self.assertEqual((len(asked), len(answers)), (1, 5))

    def problem(self, command: str, timeout_s: float = 20) -> str:
        with self.assertRaises(QuotaError) as caught:
            ask_program({'CRYPTOS_COMMAND': command, 'A_API_KEY': 'canary-123'}, timeout_s)
        return str(caught.exception)

    def test_a_program_that_fails_is_one_sentence_without_a_secret(self) -> None:
        def script(text: str) -> str:
            return f'{sys.executable} -c "{text}"'

        self.assertIn('can not be started', self.problem('/nowhere/cryptos'))
        self.assertIn('no answer within', self.problem(script('import time; time.sleep(60)'), 0.2))
        self.assertIn('left no result', self.problem(script('print(1)')))
        said = "import json; print(json.dumps({'reason': 'bad canary-123'})); raise SystemExit(2)"
        self.assertEqual(self.problem(script(said)), 'cryptos quota status ended with exit code 2: bad ***')


class Shown(unittest.TestCase):
    def test_numbers_times_and_links(self) -> None:
        self.assertEqual(
            [number(1234567), number(None), number('x'), number(0)], ['1,234,567', '–', 'x', '0']
        )
        self.assertEqual(moment('2026-11-21T12:00:00.000000Z'), '2026-11-21 12:00:00 UTC')
        self.assertEqual([moment(None), moment('soon')], ['–', 'soon'])
        known = frozenset({'collect_x'})
        self.assertEqual(
            run_link('/base', 'collect_x', 'manual__2026-11-21T12:00:00+00:00/"', known),
            '/base/dags/collect_x/runs/manual__2026-11-21T12%3A00%3A00%2B00%3A00%2F%22',
        )
        self.assertIsNone(run_link('', 'javascript:alert(1)', 'x', known))
        self.assertIsNone(run_link('', 'collect_x', None, known))


if __name__ == '__main__':
    unittest.main()
