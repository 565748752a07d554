"""The page Quota inside the whole web application of Airflow: who may see it, what it shows, and what it shows of a failure."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest

pytestmark = [
    pytest.mark.usefixtures('database'),
    pytest.mark.filterwarnings('default'),
]
EVIL = '<script>alert("x")</script>'
STATUS: dict[str, Any] = {
    'at': '2026-11-21T12:00:00.000000Z',
    'scopes': [
        {
            'scope': 'key:0123',
            'provider': 'coinmarketcap',
            'plan': EVIL,
            'frozen': 'by hand',
            'pausedUntil': '2026-11-21T13:00:00.000000Z',
            'pausedWhy': 'Retry-After',
            'windows': [
                {
                    'window': 'month',
                    'limit': 15000,
                    'used': 1234,
                    'reserved': 1,
                    'left': 13765,
                    'resetsAt': None,
                },
                {'window': 'day', 'limit': None, 'used': 4, 'reserved': 0, 'left': None, 'resetsAt': None},
            ],
            'forecast': {'text': 'lasts until the reset', 'runsOutAt': None},
            'drift': 7,
            'lastReconciledAt': '2026-11-21T11:50:00.000000Z',
            'spenders': [
                {
                    'spender': 'collect_coinmarketcap',
                    'dataset': 'quotes',
                    'today': {'calls': 4, 'credits': 4},
                    'month': {'calls': 1200, 'credits': 1200},
                }
            ],
            'unnamed': {'month': {'calls': 34, 'credits': 34}},
        }
    ],
    'skips': [
        {
            'at': '2026-11-21T11:59:00.000000Z',
            'provider': 'coinmarketcap',
            'dataset': 'quotes',
            'outcome': 'not-due',
            'reason': EVIL,
            'dag': 'collect_coinmarketcap',
            'run': 'scheduled__2026-11-21T11:59:00+00:00',
        },
        {
            'at': None,
            'provider': 'kraken',
            'outcome': 'frozen',
            'reason': 'r',
            'dag': EVIL,
            'run': '1',
            'spender': EVIL,
        },
    ],
}


@pytest.fixture(scope='module')
def client(database: None) -> Iterator[Any]:
    from airflow.api_fastapi.app import create_app
    from fastapi.testclient import TestClient

    with TestClient(create_app(apps='core'), base_url='http://127.0.0.1:8080') as client:
        yield client


@pytest.fixture(scope='module')
def viewer(client: Any) -> dict[str, str]:
    answer = client.post('/auth/token', json={'username': 'viewer', 'password': 'for-this-test-too'})
    return {'Authorization': f'Bearer {answer.json()["access_token"]}'}


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    import cryptos_plugin
    from cryptos_quota import QuotaReader, ask_program

    monkeypatch.setattr(cryptos_plugin, 'reader', QuotaReader(ask_program))


def says(monkeypatch: pytest.MonkeyPatch, status: dict[str, Any], code: int = 0) -> None:
    monkeypatch.setenv('SAID', json.dumps(status))
    text = f"import os; print(os.environ['SAID']); raise SystemExit({code})"
    monkeypatch.setenv('CRYPTOS_COMMAND', f'{sys.executable} -c "{text}"')


def routes() -> list[str]:
    import cryptos_plugin

    return ['/cryptos' + route.path for route in cryptos_plugin.app.routes]


def test_no_route_answers_anybody_without_a_login(client: Any) -> None:
    assert {'/cryptos/quota', '/cryptos/quota.json'} <= set(routes())
    for path in routes():
        assert client.get(path).status_code == 401, path
    for path in ('/cryptos/docs', '/cryptos/redoc', '/cryptos/openapi.json', '/cryptos/'):
        assert client.get(path).status_code in {401, 404}, path


def test_the_page_shows_everything_and_escapes_it(
    client: Any, viewer: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    says(monkeypatch, STATUS)
    answer = client.get('/cryptos/quota', headers=viewer)
    html = answer.text
    assert answer.status_code == 200
    for text in (
        *('15,000', '1,234', '13,765', 'no limit', 'FROZEN: by hand', 'PAUSED until 2026-11-21 13:00:00 UTC'),
        *(
            'lasts until the reset',
            '2026-11-21 11:50:00 UTC',
            'collect_coinmarketcap',
            '1,200',
            'nobody named',
        ),
        'href="/dags/collect_coinmarketcap/runs/scheduled__2026-11-21T11%3A59%3A00%2B00%3A00"',
    ):
        assert text in html, text
    assert EVIL not in html
    assert html.count('<script') == 1
    assert html.count('target="_top"') == 1
    policy = answer.headers['Content-Security-Policy']
    assert "default-src 'none'" in policy
    assert 'unsafe' not in policy
    assert 'http://' not in html.replace('http://www.w3.org', '')
    assert 'https://' not in html


def test_the_json_is_what_the_program_said(
    client: Any, viewer: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    says(monkeypatch, STATUS)
    answer = client.get('/cryptos/quota.json', headers=viewer)
    assert (answer.status_code, answer.json()) == (200, {'problem': None, 'status': STATUS})


def test_a_program_that_fails_is_a_sentence(
    client: Any, viewer: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('CRYPTOS_COMMAND', '/nowhere/cryptos')
    page = client.get('/cryptos/quota', headers=viewer)
    assert (page.status_code, 'role="alert"' in page.text) == (200, True)
    assert '/nowhere/cryptos can not be started' in page.text
    assert 'Traceback' not in page.text
    assert client.get('/cryptos/quota.json', headers=viewer).status_code == 503


@pytest.mark.usefixtures('sandbox')
def test_the_program_itself_answers(client: Any, viewer: dict[str, str]) -> None:
    answer = client.get('/cryptos/quota.json', headers=viewer)
    assert answer.status_code == 200, answer.text
    assert isinstance(answer.json()['status']['scopes'], list)
    assert client.get('/cryptos/quota', headers=viewer).status_code == 200


def test_files_of_the_page_have_their_type(client: Any, viewer: dict[str, str]) -> None:
    types = {'css': 'text/css', 'js': 'text/javascript', 'svg': 'image/svg+xml'}
    for end, media_type in types.items():
        answer = client.get(f'/cryptos/quota.{end}', headers=viewer)
        assert answer.headers['content-type'].split(';')[0] == media_type


def test_the_plugin_is_known_to_airflow(client: Any) -> None:
    token = client.post('/auth/token', json={'username': 'admin', 'password': 'for-this-test-only'}).json()
    headers = {'Authorization': f'Bearer {token["access_token"]}'}
    errors = client.get('/api/v2/plugins/importErrors', headers=headers).json()
    assert errors['import_errors'] == []
    plugins = client.get('/api/v2/plugins', headers=headers).json()['plugins']
    (ours,) = [plugin for plugin in plugins if plugin['name'] == 'cryptos']
    assert [view['name'] for view in ours['external_views']] == ['Quota']
    assert os.environ['AIRFLOW__CORE__PLUGINS_FOLDER']
