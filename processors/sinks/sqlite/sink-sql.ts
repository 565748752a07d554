/** The larger version wins; an equal one is the same value. */
export const upsertQuote = `INSERT INTO quote(series, observedAt, version, price, priceFloat, marketCap, volume24h, supply, change24h,
  receivedAt, flags, label, answer) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(series, observedAt) DO UPDATE SET
  version=excluded.version, price=excluded.price, priceFloat=excluded.priceFloat, marketCap=excluded.marketCap,
  volume24h=excluded.volume24h, supply=excluded.supply, change24h=excluded.change24h, receivedAt=excluded.receivedAt,
  flags=excluded.flags, label=excluded.label, answer=excluded.answer WHERE excluded.version > quote.version`

/** Set, never guarded: after a log was made anew the position must be able to go back; the rows are idempotent. */
export const upsertPosition = `INSERT INTO position(grp, topic, part, off) VALUES(?,?,?,?)
  ON CONFLICT(grp, topic, part) DO UPDATE SET off=excluded.off`

/** The larger version wins; an equal one is the same value. */
export const upsertMarketRecord = `INSERT INTO market_record(id, kind, provider, asset, currency, at, version, body) VALUES(?,?,?,?,?,?,?,?)
  ON CONFLICT(id) DO UPDATE SET provider=excluded.provider, version=excluded.version, body=excluded.body
  WHERE excluded.version > market_record.version`

/** Never back in time. */
export const upsertMarketLatest = `INSERT INTO market_latest(series, kind, at, id) VALUES(?,?,?,?)
  ON CONFLICT(series) DO UPDATE SET at=excluded.at, id=excluded.id WHERE excluded.at > market_latest.at`

export const selectPosition = 'SELECT off FROM position WHERE grp=? AND topic=? AND part=?'

/** The newest of a series stays, however old: it is what the screens show. */
export const pruneMarketRecords = `DELETE FROM market_record WHERE id IN (
  SELECT id FROM market_record WHERE kind=? AND at<? AND id NOT IN (SELECT id FROM market_latest WHERE kind=?) LIMIT ?)`
