/** The larger version wins; an equal one is the same value. */
export const upsertQuote = `INSERT INTO quote(series, observedAt, version, price, priceFloat, marketCap, volume24h, supply, change24h,
  receivedAt, flags, label, answer) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(series, observedAt) DO UPDATE SET
  version=excluded.version, price=excluded.price, priceFloat=excluded.priceFloat, marketCap=excluded.marketCap,
  volume24h=excluded.volume24h, supply=excluded.supply, change24h=excluded.change24h, receivedAt=excluded.receivedAt,
  flags=excluded.flags, label=excluded.label, answer=excluded.answer WHERE excluded.version > quote.version`

/** Set, never guarded: after a log was made anew the position must be able to go back; the rows are idempotent. */
export const upsertPosition = `INSERT INTO position(grp, topic, part, off) VALUES(?,?,?,?)
  ON CONFLICT(grp, topic, part) DO UPDATE SET off=excluded.off`
