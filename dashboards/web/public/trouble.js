/** @typedef {import('./runs.js').RunView} RunView */

/** These say nothing of the provider: no call was made, or it was cut off from here. */
const unasked = new Set(['backing-off', 'in-flight', 'aborted', 'ledger-unavailable', 'unpublished'])
/** Providers named in the sentence, the others are counted. */
const mostNamed = 2

/**
 * What is wrong when no source answers, in one sentence: each provider's newest call failed. Undefined while one of them
 * works, or none was asked.
 * @param {readonly RunView[]} runs newest first
 * @param {boolean} isSimulated the sandbox is no way out of itself
 */
export function troubleOf(runs, isSimulated) {
  /** @type {Map<string, RunView>} */
  const newest = new Map()
  for (const run of runs)
    if (run.exitCode !== 99 && !unasked.has(run.outcome) && !newest.has(run.provider))
      newest.set(run.provider, run)
  const failed = [...newest.values()]
  if (failed.length === 0 || failed.some(run => run.exitCode === 0)) return undefined
  const causes = [...Map.groupBy(failed, causeOf)].map(
    ([cause, group]) => `${namesOf(group.map(run => run.provider).sort())}: ${cause}`,
  )
  const isNetwork = failed.some(run => run.outcome === 'transport-error')
  const advice = isNetwork ? 'check the network of this machine' : 'the last runs, further down, say why'
  const sandbox = isSimulated ? '' : ', or start “cryptos up --source sandbox” for simulated prices'
  return `No source answers (${causes.join('; ')}): ${advice}${sandbox}.`
}

/** The system's own word for a broken connection, in the brackets at the end of the reason. @param {RunView} run */
function causeOf({ outcome, reason }) {
  if (outcome !== 'transport-error') return outcome
  return /\(([^()]+)\)$/.exec(reason)?.[1] ?? 'no whole answer'
}

/** @param {readonly string[]} names */
function namesOf(names) {
  const more = names.length - mostNamed
  return more > 1 ? `${names.slice(0, mostNamed).join(', ')} and ${more} more` : names.join(', ')
}
