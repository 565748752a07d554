"""What the program is started with: its command, and an environment without anything of Airflow. Needs no Airflow."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence

#: Settings of Airflow hold the password of its database, its signing secrets and connections: none of the program's business.
_NOT_OURS = re.compile(r'^(AIRFLOW_|_AIRFLOW_|__AIRFLOW|PYTHON)')
#: Settings of these modules alone: the program refuses what it does not know.
_FOR_US = frozenset({'CRYPTOS_COMMAND', 'CRYPTOS_EXPORT_DIR'})

Secrets = Mapping[str, str]


def command_of(environ: Mapping[str, str], args: Sequence[str]) -> list[str]:
    """CRYPTOS_COMMAND (split as a shell would, but no shell runs) or `cryptos`, then the arguments."""
    return [*(shlex.split(environ.get('CRYPTOS_COMMAND', '')) or ['cryptos']), *args]


def child_environment(
    environ: Mapping[str, str],
    *,
    secrets: Secrets,
    strange_keys: Iterable[str] = (),
    spender: str,
) -> dict[str, str]:
    """
    The environment of the child: that of the process without what is Airflow's, without the keys of other providers, with the
    spender, and with the keys of connections, which take the place of a key or key file of the process.
    """
    strange = set(strange_keys) - set(secrets)
    dropped = _FOR_US | {name for key in (*strange, *secrets) for name in (key, f'{key}_FILE')}
    kept = {
        name: value for name, value in environ.items() if not _NOT_OURS.match(name) and name not in dropped
    }
    return {**kept, **secrets, 'CRYPTOS_SPENDER': spender}


def secrets_within(environ: Mapping[str, str]) -> list[str]:
    """Values that must not be shown: keys, and passwords of servers."""
    return [value for name, value in environ.items() if value and _is_secret(name)]


def _is_secret(name: str) -> bool:
    return name.endswith(('_API_KEY', '_PASSWORD', '_TOKEN', '_SECRET'))


def redact(text: str, secrets: Iterable[str]) -> str:
    """The text with each secret replaced. A value of under four characters would replace half of a text: it is left."""
    for secret in secrets:
        if len(secret) >= 4:
            text = text.replace(secret, '***')
    return text
