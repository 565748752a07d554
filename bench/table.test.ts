import { describe, expect, it } from 'vitest'
import { tableOf, withTable } from './table.ts'

const line = { name: 'a', value: 1.5, unit: 'x', bar: 1.6, ok: true, note: 'b|c' }

describe('the table of the benches', () => {
  it('shows what was met, missed and only told', () => {
    const told = { name: 'c', value: 2, unit: 'ms', bar: null, ok: true }
    const machine = { name: 'machine', value: 0, unit: '', bar: null, ok: true, note: 'two cores' }
    expect(tableOf([machine, line, { ...line, ok: false }, told]).split('\n')).toEqual([
      'two cores',
      '',
      '| bench | measured | bar | verdict | how |',
      '| --- | --- | --- | --- | --- |',
      '| a | 1.5 x | 1.6 x | met | b\\|c |',
      '| a | 1.5 x | 1.6 x | **missed** | b\\|c |',
      '| c | 2 ms |  | told |  |',
    ])
  })
  it('takes the place of the table before, and of nothing else', () => {
    const page = 'one\n<!-- figures: made by bench/table.ts -->\n\nold\n\n<!-- end of figures -->\ntwo\n'
    const once = withTable(page, 'new')
    expect(once).toBe(page.replace('old', 'new'))
    expect(withTable(once, 'new')).toBe(once)
    expect(() => withTable('no marks', 'new')).toThrow('lacks its marks')
  })
})
