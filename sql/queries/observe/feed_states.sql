-- What each collector stated last of its feeds within a few minutes: state and cause, since when, and when it was stated.
SELECT
    toString(exchange) AS exchange, toString(symbol) AS symbol, toString(channel) AS channel, toString(collector) AS collector,
    argMax(toString(state), reach) AS state, argMax(cause, reach) AS cause, argMax(started_ns, reach) / 1e9 AS since_s,
    toUnixTimestamp64Milli(max(inserted_at)) / 1e3 AS stated_s
FROM
(
    SELECT *, (greatest(started_ns, ifNull(ended_ns, 0)), started_ns) AS reach
    FROM md_feed_status_store
    WHERE inserted_at > now64(3, 'UTC') - toIntervalSecond({seconds:UInt32})
)
GROUP BY exchange, symbol, channel, collector
ORDER BY exchange, symbol, channel, collector
