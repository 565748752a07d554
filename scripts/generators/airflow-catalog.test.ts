import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { commandNames, loadCommand } from '../../app/commands/index.ts'
import { routeOf, whyOff } from '../../app/routes.ts'
import { readConfig } from '../../app/config/load.ts'
import { providers } from '../../collectors/registry.ts'
import { topicTable } from '../../topics/table.ts'
import { airflowCatalog, airflowCatalogOf } from './airflow-catalog.ts'
import { airflowPools } from './airflow-pools.ts'
import { catalogText } from './airflow-json.ts'

const catalog = airflowCatalogOf()
const dags = [...catalog.providers, ...catalog.housekeeping, catalog.export, catalog.backfill]
const config = readConfig({}, {}).config

describe('the catalog of the DAGs', () => {
  it('is the file in the repository', () => {
    const file = join(import.meta.dirname, '../../airflow/catalog.json')
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(JSON.parse(airflowCatalog()))
  })

  it('has each provider and each topic once, and no DAG or pool twice', () => {
    expect(catalog.providers.map(p => p.id)).toEqual(providers.map(p => p.id))
    expect(catalog.topics.map(t => t.name)).toEqual(Object.values(topicTable()).map(t => t.name))
    for (const names of [dags.map(d => d.dag_id), catalog.providers.map(p => p.pool)]) {
      expect(new Set(names).size).toBe(names.length)
      for (const name of names) expect(name).toMatch(/^[a-z_]+$/)
    }
  })

  it('pauses what is off with live data and no key, and only that', () => {
    const off = providers.filter(p => whyOff(p, config, { kind: 'live' }) !== null).map(p => p.id)
    expect(catalog.providers.filter(p => p.paused).map(p => p.id)).toEqual(off)
    expect(off).toEqual(['bitcoinaverage', 'coindesk'])
    for (const row of catalog.providers) {
      expect(row.disabled !== null).toBe(row.paused)
      if (row.disabled !== null) expect(row.doc).toContain(row.disabled)
    }
  })

  it('lists those that are collected from without a word', () => {
    expect(catalog.providers.flatMap(p => (p.listed ? [p.id] : [])).toSorted()).toEqual(
      config.providers.toSorted(),
    )
  })

  it('has the datasets that are collected by themselves, and says which need a key', () => {
    const cmc = catalog.providers.find(p => p.id === 'coinmarketcap')
    expect(cmc?.datasets.map(d => [d.id, d.kind])).toEqual([
      ['quotes', 'quotes'],
      ['listings', 'market'],
      ['global', 'metrics'],
    ])
    expect(cmc?.key).toEqual({
      env: 'COINMARKETCAP_API_KEY',
      connection: 'cryptos_coinmarketcap',
      required: false,
    })
    expect(catalog.providers.every(p => p.datasets.length > 0)).toBe(true)
    expect(catalog.providers.flatMap(p => p.datasets).filter(d => String(d.kind) === 'history')).toEqual([])
  })

  it('requires a key of those that have no route without', () => {
    for (const row of catalog.providers.filter(p => p.key?.required !== true))
      expect(routeOf(row.id, config, { kind: 'live', origin: 'live', folder: '' }).provider.id).toBe(row.id)
    for (const row of catalog.providers.filter(p => p.key?.required === true))
      expect(() => routeOf(row.id, config, { kind: 'live', origin: 'live', folder: '' })).toThrow()
  })

  it('names a history of each provider that has one, and not the closed one where another is open', () => {
    const rows = Object.fromEntries(catalog.providers.map(p => [p.id, p.backfill]))
    expect(rows['coindesk']?.dataset).toBe('tick-history')
    expect(rows['coinmarketcap']).toEqual({ dataset: 'history', access: 'keyed' })
    for (const { id, datasets } of providers)
      expect(rows[id] === null).toBe(!datasets.some(d => d.kind === 'history'))
  })

  it('starts commands that there are, with options that they have', async () => {
    const program = new Command('cryptos')
    for (const name of commandNames) (await loadCommand(name))(program, () => async () => undefined)
    for (const { command } of catalog.housekeeping) {
      const found = findCommand(program, command)
      const flags = command.filter(word => word.startsWith('--'))
      expect(found?.name(), command.join(' ')).toBe(command.filter(word => /^[a-z]+$/.test(word)).at(-1))
      for (const flag of flags) expect(found?.options.map(o => o.long)).toContain(flag)
    }
  })
})

function findCommand(program: Command, words: readonly string[]): Command | undefined {
  const [word, ...more] = words
  const child = program.commands.find(c => c.name() === word)
  return child === undefined ? undefined : (findCommand(child, more) ?? child)
}

describe('the pools', () => {
  it('are one for each provider', () => {
    const pools = JSON.parse(airflowPools()) as Record<string, unknown>
    expect(Object.keys(pools)).toEqual(catalog.providers.map(p => p.pool))
    expect(pools['cryptos_kraken']).toEqual({
      ...{ slots: 1, description: 'Calls to Kraken at once', include_deferred: false },
    })
  })
})

describe('its text', () => {
  it('keeps a list of plain values on a line where it fits, and spreads out the rest', () => {
    expect(catalogText({ a: ['x', 1], b: [{ c: null }], d: [] })).toBe(
      '{\n  "a": ["x", 1],\n  "b": [\n    {\n      "c": null\n    }\n  ],\n  "d": []\n}',
    )
    const long = ['a'.repeat(60), 'b'.repeat(60)]
    expect(catalogText({ long })).toBe(`{\n  "long": [\n    "${long[0]}",\n    "${long[1]}"\n  ]\n}`)
  })
})
