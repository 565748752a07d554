"""The catalog as generated, and what is wanted of it. Runs without Airflow: python3 -m unittest."""

import json
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / 'plugins'))

from cryptos_catalog import (
    CatalogError,
    all_keys,
    dag_ids,
    load_catalog,
    pause_reason,
    topics_of,
    wanted_datasets,
)

CATALOG = load_catalog()


def provider(name: str) -> dict:
    return next(row for row in CATALOG['providers'] if row['id'] == name)


class Catalog(unittest.TestCase):
    def test_each_row_has_what_the_factory_needs(self) -> None:
        for row in CATALOG['providers']:
            with self.subTest(row['id']):
                self.assertEqual(row['dag_id'], f'collect_{row["id"]}')
                self.assertEqual(row['pool'], f'cryptos_{row["id"]}')
                self.assertTrue(row['datasets'] and row['doc'] and row['owner'])
                self.assertLessEqual({'cryptos', 'collect', row['id']}, set(row['tags']))
                self.assertGreater(row['execution_timeout_s'], 4)
                self.assertEqual(row['paused'], row['disabled'] is not None)

    def test_dag_ids_and_pools_are_unique(self) -> None:
        ids = dag_ids(CATALOG)
        self.assertEqual(len(ids), len(set(ids)))
        self.assertEqual(len({row['pool'] for row in CATALOG['providers']}), len(CATALOG['providers']))

    def test_each_kind_of_dataset_has_a_topic(self) -> None:
        kinds = {dataset['kind'] for row in CATALOG['providers'] for dataset in row['datasets']}
        for kind in {*kinds, 'history'}:
            self.assertTrue(topics_of(CATALOG, kind), kind)

    def test_keys_name_their_variable_and_connection(self) -> None:
        self.assertIn('COINMARKETCAP_API_KEY', [key['env'] for key in all_keys(CATALOG)])
        for key in all_keys(CATALOG):
            self.assertTrue(key['connection'].startswith('cryptos_'))

    def test_another_version_or_a_broken_file_is_refused_by_name(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / 'catalog.json'
            for text in ('{', '[]', json.dumps({'version': 2})):
                path.write_text(text, encoding='utf-8')
                with self.assertRaisesRegex(CatalogError, r'catalog\.json'):
                    load_catalog(path)
            with self.assertRaises(CatalogError):
                load_catalog(Path(folder) / 'none.json')


class Wanted(unittest.TestCase):
    def ids(self, name: str, datasets: str | None) -> list[str]:
        environ = {} if datasets is None else {'CRYPTOS_DATASETS': datasets}
        return [dataset['id'] for dataset in wanted_datasets(provider(name), environ)]

    def test_quotes_without_a_word(self) -> None:
        self.assertEqual(self.ids('coinmarketcap', None), ['quotes'])
        self.assertEqual(self.ids('coinmarketcap', ' '), ['quotes'])

    def test_kinds_and_single_datasets(self) -> None:
        self.assertEqual(self.ids('coinmarketcap', 'quotes, market'), ['quotes', 'listings'])
        self.assertEqual(self.ids('coinmarketcap', 'coinmarketcap/global'), ['global'])
        self.assertEqual(self.ids('coingecko', 'coinmarketcap/global'), [])

    def test_a_pause_has_its_reason(self) -> None:
        self.assertIsNone(pause_reason(provider('kraken'), {}))
        self.assertIn('BitcoinAverage', pause_reason(provider('bitcoinaverage'), {}) or '')
        self.assertIn('CRYPTOS_PROVIDERS is not set', pause_reason(provider('coingecko'), {}) or '')
        named = {'CRYPTOS_PROVIDERS': 'coingecko, bitcoinaverage'}
        self.assertIsNone(pause_reason(provider('coingecko'), named))
        self.assertIn('CRYPTOS_PROVIDERS names', pause_reason(provider('kraken'), named) or '')
        self.assertIn('BitcoinAverage is off', pause_reason(provider('bitcoinaverage'), named) or '')
        self.assertIn('market', pause_reason(provider('kraken'), {'CRYPTOS_DATASETS': 'market'}) or '')


if __name__ == '__main__':
    unittest.main()
