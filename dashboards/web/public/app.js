import { makeAssets } from './assets.js'
import { makeChart } from './chart.js'
import { ChartData } from './chart-data.js'
import { makeChoice } from './choices.js'
import { connect } from './connection.js'
import { byId, colorName, setText } from './dom.js'
import { formatSince } from './format.js'
import { showHero, showNoHero, showTitle } from './hero.js'
import { makeJudged } from './judged.js'
import { Judgement } from './judgement.js'
import { fetchJson, makeLineState, makeQueue } from './line.js'
import { consensusName, idOf, keyOf, Model } from './model.js'
import { makePrices } from './prices.js'
import { showQuota } from './quota.js'
import { findRange, ranges, spanWords } from './ranges.js'
import { showRuns } from './runs.js'
import { showSources } from './sources.js'
import { makeTheme } from './toggle.js'
import { troubleOf } from './trouble.js'

/** @typedef {import('./model.js').LivePrice} LivePrice */

const all = 'all'
const startedAt = Date.now()
const chosen = new URLSearchParams(location.hash.slice(1))
const state = {
  key: chosen.get('asset') ?? '',
  provider: chosen.get('provider') ?? all,
  range: findRange(chosen.get('range') ?? ''),
}
const model = new Model()
const judgement = new Judgement(show)
let data = new ChartData()
/** The server's clock minus ours: ages are told by the server's. */
let offsetMs = 0
let isLoaded = false
/** @type {{ prices: import('./model.js').ApiPrice[] }[]} */
let early = []
/** @type {import('./quota.js').QuotaView | undefined} */
let quota
/** Why no source answers, '' while one does. */
let trouble = ''
const now = () => Date.now() + offsetMs

const line = makeLineState()
const chart = makeChart()
const prices = makePrices()
const judged = makeJudged(model, judgement, prices.show)
const assets = makeAssets(key => choose({ key, provider: all }, true))
const providerChoice = makeChoice(byId('provider-choice'), {
  name: 'provider',
  legend: 'Provider',
  onChange: provider => choose({ provider }, false),
})
const rangeChoice = makeChoice(byId('range-choice'), {
  name: 'range',
  legend: 'Range',
  onChange: range => choose({ range: findRange(range) }, true),
})
const history = makeQueue(loadHistory, addLive)

/** @param {Partial<typeof state>} change @param {boolean} loads */
function choose(change, loads) {
  Object.assign(state, change)
  keepChoice()
  if (loads) void history.load()
  show()
  announce()
}

/** In the address, so that a view can be kept as a bookmark. */
function keepChoice() {
  const choice = new URLSearchParams({ asset: state.key, provider: state.provider, range: state.range.value })
  window.history.replaceState(null, '', `#${choice}`)
}

/** Says the choice to a screen reader, once; live prices stay silent. */
function announce() {
  const price = shownPrice()
  if (price)
    setText(
      byId('announce'),
      `${[price.name, idOf(price)].join(' ').trim()}: ${price.price} ${price.currency} by ${price.provider}, ${state.range.words}`,
    )
}

/** A resumed stream gives every newest price, but not each one in between: the lines are loaded anew either way. @param {boolean} resumed */
async function begin(resumed) {
  judgement.hint()
  if (resumed) return history.load()
  const [meta, latest, sources] = await Promise.all(
    ['meta', 'latest', 'sources'].map(name => fetchJson(`/api/v1/${name}`)),
  )
  showSources(sources)
  model.know(meta)
  setText(byId('version'), `cryptos ${meta.version}`)
  for (const { prices: found, ...asset } of latest.assets)
    for (const price of found) model.apply({ ...asset, ...price })
  pickFirst()
  isLoaded = true
  const loaded = history.load()
  for (const event of early) onPrices(event)
  early = []
  await loaded
  show()
}

/** Loads until it worked. @param {boolean} resumed */
function beginSafely(resumed) {
  begin(resumed && isLoaded).catch((/** @type {unknown} */ error) => {
    line.failed(error)
    setTimeout(beginSafely, 3000, resumed)
  })
}

function pickFirst() {
  const rows = model.rows()
  if (!rows.some(row => row.key === state.key)) state.key = rows[0]?.key ?? state.key
}

async function loadHistory() {
  const [asset = '', currency = 'USD'] = state.key.split(' ')
  if (!asset) return
  const from = state.range.ms === null ? 'first' : `-${state.range.value}`
  const query = new URLSearchParams({ asset, currency, from })
  const answer = await fetchJson(`/api/v1/history?${query}`)
  return () => {
    data = new ChartData(answer, model.newestTimes(state.key))
    show()
  }
}

/** @param {LivePrice} price */
function addLive(price) {
  const bucketMs = Math.min(state.range.bucketMs, data.stepMs || state.range.bucketMs)
  if (keyOf(price) === state.key) data.add(price.provider, price.time, price.price, bucketMs)
}

/**
 * Before the first load there is no order of assets and no colour of a provider: what comes by then waits.
 * @param {{ prices: import('./model.js').ApiPrice[] }} event
 */
function onPrices(event) {
  if (!isLoaded) {
    early.push(event)
    return
  }
  const isFirst = state.key === ''
  for (const price of event.prices) history.push(model.apply(price))
  const medians = event.prices.filter(p => p.provider === consensusName)
  if (medians.length > 0) judgement.hint(Math.max(...medians.map(p => Date.parse(p.observedAt))))
  pickFirst()
  if (isFirst) void history.load()
  line.priceAt(Date.now())
  show()
}

const shownProviders = () => {
  const found = model.prices(state.key).map(p => p.provider)
  return found.includes(state.provider) ? [state.provider] : found
}

/** @param {string} key */
const standFor = key => judged.standFor(key, now())

/** @returns {LivePrice | undefined} */
const shownPrice = () => model.price(state.key, state.provider) ?? standFor(state.key)?.price

let frame = 0
function show() {
  if (frame === 0) frame = requestAnimationFrame(showNow)
}

function showNow() {
  frame = 0
  const found = model.prices(state.key)
  const providers = shownProviders()
  const rows = model.rows().map(row => {
    const { price = row.lead, kind } = standFor(row.key) ?? {}
    return { ...row, lead: price, isUnfit: kind === 'none' }
  })
  assets(rows, state.key)
  const options = found.map(({ provider: p }) => ({
    value: p,
    label: p,
    color: colorName(model.providers, p),
  }))
  const isOne = providers.length === 1 && state.provider !== all
  providerChoice(
    options.length > 0 ? [{ value: all, label: 'All' }, ...options] : [],
    isOne ? state.provider : all,
  )
  rangeChoice(ranges, state.range.value)
  judged.show(state.key, found, now())
  const price = shownPrice()
  document.body.classList.toggle('waiting', !price)
  const from = rangeStart(providers)
  if (price) {
    showTitle(price)
    showNumber(price)
  }
  showChart(providers, price, from)
  tick()
}

/** @param {LivePrice} price */
function showNumber(price) {
  const kind = price.provider === state.provider ? 'chosen' : standFor(state.key)?.kind
  if (kind === 'none') return showNoHero(price)
  const past = data.summary(price.provider)
  const words = past && { ...past, words: spanWords(state.range, [past], now()) }
  showHero(price, model.decimals(state.key), words, kind === 'served' ? 'served by' : 'by')
}

/** Where the drawn time begins: with the range, or with the first price where that is later. @param {readonly string[]} providers */
function rangeStart(providers) {
  const to = now()
  if (state.range.ms !== null) data.prune(to - state.range.ms)
  const firsts = providers.map(provider => data.begin(provider) ?? to)
  const oldest = Math.min(to - 60_000, ...firsts)
  return state.range.ms === null ? oldest : Math.max(oldest, to - state.range.ms)
}

/** @param {readonly string[]} providers @param {LivePrice | undefined} price @param {number} from */
function showChart(providers, price, from) {
  const spans = providers.flatMap(provider => data.summary(provider) ?? [])
  const drawsMedian = providers.length > 1 && data.series.has(consensusName)
  chart.show({
    data,
    providers: drawsMedian ? [...providers, consensusName] : providers,
    allProviders: model.providers,
    name: price?.name ?? 'Prices',
    currency: price?.currency ?? '',
    decimals: model.decimals(state.key),
    span: spanWords(state.range, spans, now()),
    from,
    to: now(),
  })
}

/** What changes by time alone. */
function tick() {
  prices.tick(now())
  line.tick()
  setText(byId('chart-empty'), emptyText())
}

function emptyText() {
  const price = shownPrice()
  if (price)
    return `No prices ${spanWords(state.range, [], now())}: the newest is of ${formatSince(price.time, now())}.`
  if (isLoaded && trouble) return trouble
  return Date.now() - startedAt > 30_000
    ? 'Still no prices. The last runs, further down, say why.'
    : 'Waiting for the first prices: the collectors have started, they come in a few seconds.'
}

makeTheme(() => chart.request())
rangeChoice(ranges, state.range.value)
showQuota({ scopes: [] }, now())
showRuns({ runs: [] })
connect({
  onHello: ({ resumed }) => beginSafely(resumed),
  onPrices,
  onQuota: view => {
    quota = view
    showQuota(view, now())
  },
  onRuns: view => {
    trouble = troubleOf(view.runs, document.getElementById('banner') !== null) ?? ''
    line.answered(trouble === '')
    showRuns(view)
    show()
  },
  onTime: at => {
    offsetMs = Date.parse(at) - Date.now()
  },
  onState: line.set,
})
setInterval(show, 1000)
setInterval(() => quota && showQuota(quota, now()), 30_000)
