"""An Airflow of its own in a temporary folder: set before anything imports airflow, or it writes ~/airflow."""

from __future__ import annotations

import atexit
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent.parent
HOME = tempfile.mkdtemp(prefix='cryptos-airflow-')
atexit.register(shutil.rmtree, HOME, ignore_errors=True)

PASSWORDS = {'admin': 'for-this-test-only', 'viewer': 'for-this-test-too'}
Path(HOME, 'passwords.json').write_text(json.dumps(PASSWORDS), encoding='utf-8')

for name in [name for name in os.environ if name.startswith(('AIRFLOW', 'CRYPTOS_')) or '_API_KEY' in name]:
    if name != 'CRYPTOS_COMMAND':
        del os.environ[name]


def _node() -> str:
    """The Node of the repository, where it is installed."""
    own = REPOSITORY / 'node_modules' / '.bin' / 'node'
    return str(own) if own.exists() else 'node'


os.environ.setdefault('CRYPTOS_COMMAND', shlex.join([_node(), str(REPOSITORY / 'bin' / 'cryptos.mjs')]))
os.environ.update(
    {
        'AIRFLOW_HOME': HOME,
        'AIRFLOW__CORE__DAGS_FOLDER': str(REPOSITORY / 'dags'),
        'AIRFLOW__CORE__PLUGINS_FOLDER': str(REPOSITORY / 'airflow' / 'plugins'),
        'AIRFLOW__CORE__LOAD_EXAMPLES': 'False',
        'AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS': 'admin:admin,viewer:viewer',
        'AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE': str(Path(HOME, 'passwords.json')),
        'AIRFLOW__API_AUTH__JWT_SECRET': 'for-this-test-only-' * 5,
        # Of the sandbox and of nobody else: no test calls a provider.
        'CRYPTOS_SOURCE': 'sandbox',
        'CRYPTOS_DATA_DIR': str(Path(HOME, 'cryptos')),
        'NO_PROXY': '127.0.0.1,localhost',
    }
)


@pytest.fixture(scope='session')
def sandbox() -> Iterator[str]:
    """The URL of a real simulator of the providers."""
    command = [*shlex.split(os.environ['CRYPTOS_COMMAND']), 'sandbox', '--port', '0', '--json']
    environ = {name: value for name, value in os.environ.items() if not name.startswith('AIRFLOW')}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environ) as process:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())['url']
        os.environ['CRYPTOS_SANDBOX_URL'] = url
        yield url
        del os.environ['CRYPTOS_SANDBOX_URL']
        process.terminate()


@pytest.fixture(scope='session')
def database() -> None:
    """The tables of Airflow, in SQLite."""
    command = [str(Path(sys.executable).parent / 'airflow'), 'db', 'migrate']
    subprocess.run(command, check=True, capture_output=True, cwd=HOME)
