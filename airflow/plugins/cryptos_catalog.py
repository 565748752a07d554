"""The catalog that `node scripts/generate.ts` writes, and which of its datasets are wanted. Needs no Airflow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: Beside the plugins folder, wherever that is mounted.
CATALOG_FILE = Path(__file__).resolve().parent.parent / 'catalog.json'

VERSION = 1

Catalog = dict[str, Any]
Provider = dict[str, Any]
Dataset = dict[str, Any]
Key = dict[str, Any]


class CatalogError(ValueError):
    """The file is not a catalog that this version understands."""


def load_catalog(path: Path = CATALOG_FILE) -> Catalog:
    """The catalog. Raises CatalogError, which names the file, for one that is missing, broken or of another version."""
    try:
        catalog = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError) as cause:
        raise CatalogError(f'{path}: {cause}. Make it: node scripts/generate.ts') from cause
    if not isinstance(catalog, dict) or catalog.get('version') != VERSION:
        raise CatalogError(f'{path} is not of version {VERSION}. Make it anew: node scripts/generate.ts')
    return catalog


def wanted_names(environ: Mapping[str, str]) -> frozenset[str]:
    """
    What the variable CRYPTOS_DATASETS names: kinds, or datasets as `provider/dataset`. The program reads a configuration file too;
    for DAGs the variable alone counts: a dataset that only the file wants has no task, one that it does not want is skipped.
    """
    return _names(environ, 'CRYPTOS_DATASETS') or frozenset({'quotes'})


def is_listed(provider: Provider, environ: Mapping[str, str]) -> bool:
    """Whether the variable CRYPTOS_PROVIDERS names it; without a word, whether the program collects from it then."""
    names = _names(environ, 'CRYPTOS_PROVIDERS')
    return provider['id'] in names if names else bool(provider['listed'])


def _names(environ: Mapping[str, str], variable: str) -> frozenset[str]:
    return frozenset(word.strip() for word in environ.get(variable, '').split(',') if word.strip())


def wanted_datasets(provider: Provider, environ: Mapping[str, str]) -> list[Dataset]:
    """The datasets of the provider that CRYPTOS_DATASETS wants, in the order of the catalog; maybe none."""
    wanted = wanted_names(environ)
    return [
        dataset
        for dataset in provider['datasets']
        if dataset['kind'] in wanted or f'{provider["id"]}/{dataset["id"]}' in wanted
    ]


def pause_reason(provider: Provider, environ: Mapping[str, str]) -> str | None:
    """Why the DAG begins paused, in one sentence; None = it does not."""
    if provider.get('disabled'):
        return str(provider['disabled'])
    if not is_listed(provider, environ):
        told = 'names' if _names(environ, 'CRYPTOS_PROVIDERS') else 'is not set, and its default names'
        return f'CRYPTOS_PROVIDERS {told} other providers than {provider["title"]}'
    if not wanted_datasets(provider, environ):
        names = ', '.join(sorted(wanted_names(environ)))
        return f'CRYPTOS_DATASETS ({names}) wants no dataset of {provider["title"]}'
    return 'the catalog pauses it' if provider.get('paused') else None


def topics_of(catalog: Catalog, kind: str) -> list[dict[str, Any]]:
    """The topics into which records of this kind of dataset go."""
    return [topic for topic in catalog['topics'] if kind in topic['kinds']]


def all_keys(catalog: Catalog) -> list[Key]:
    """The keys of all providers that know one."""
    return [provider['key'] for provider in catalog['providers'] if provider['key']]


def dag_ids(catalog: Catalog) -> list[str]:
    """Every DAG that the catalog asks for."""
    rows = [*catalog['providers'], *catalog['housekeeping'], catalog['backfill'], catalog['export']]
    return [row['dag_id'] for row in rows]
