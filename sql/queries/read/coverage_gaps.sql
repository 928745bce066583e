-- The gaps of feeds one by one, those too that another collector prevented: what began within a range. See md_feed_gaps.
SELECT
    toString(exchange) AS exchange, toString(symbol) AS symbol, toString(channel) AS channel, toString(collector) AS collector,
    toString(state) AS state, cause, started_at, ended_at, missed, prevented
FROM md_feed_gaps AS every
WHERE exchange LIKE {exchange:String} AND symbol LIKE {symbol:String} AND channel LIKE {channel:String}
    AND started_at >= {start:DateTime64(9, 'UTC')} AND started_at < {end:DateTime64(9, 'UTC')}
    AND cause NOT IN ('subscribing', 'no_snapshot')
ORDER BY started_at, exchange, symbol, channel, collector, state
LIMIT {most:UInt32}
