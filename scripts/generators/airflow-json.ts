const width = 110

const isScalar = (value: unknown): boolean => typeof value !== 'object' || value === null

/** Lists of plain values stand on one line where they fit, as biome and prettier would put them; all else is spread out. */
export function catalogText(value: unknown, indent = 0, used = 0): string {
  if (isScalar(value)) return JSON.stringify(value)
  const inner = ' '.repeat(indent + 2)
  const outer = ' '.repeat(indent)
  if (Array.isArray(value)) {
    const flat = `[${value.map(item => JSON.stringify(item)).join(', ')}]`
    if (value.every(isScalar) && used + flat.length < width) return flat
    return `[\n${value.map(item => `${inner}${catalogText(item, indent + 2, indent + 2)}`).join(',\n')}\n${outer}]`
  }
  const lines = Object.entries(value as object).map(([name, member]) => {
    const head = `${inner}${JSON.stringify(name)}: `
    return `${head}${catalogText(member, indent + 2, head.length)}`
  })
  return lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n${outer}}`
}
