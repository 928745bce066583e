-- When no collector had a feed's book proven, for the live page: begin, end (NULL: only started), state and cause.
SELECT intDiv(started_ns, 1000000) AS from_ms, intDiv(ended_ns, 1000000) AS to_ms, toString(state) AS state, cause
FROM md_feed_gaps
WHERE exchange = {exchange:String} AND symbol = {symbol:String} AND channel = 'book' AND NOT prevented
    AND started_at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
    AND ifNull(ended_at, started_at) >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
ORDER BY from_ms DESC
LIMIT 50
SETTINGS max_execution_time = 20
