-- When no collector had a feed's book proven, for the live page: begin, end (NULL: still open), state, cause, collector.
-- An interval of which only the begin was said ended where its collector's next one begins.
SELECT
    intDiv(started_ns, 1000000) AS from_ms,
    intDiv(if(isNull(ended_ns), next_ns, ended_ns), 1000000) AS to_ms,
    toString(state) AS state, cause, toString(collector) AS collector
FROM md_feed_gaps
LEFT JOIN
(
    SELECT
        collector, started_ns,
        leadInFrame(toNullable(started_ns)) OVER (
            PARTITION BY collector ORDER BY started_ns RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ) AS next_ns
    FROM (
        SELECT DISTINCT collector, started_ns FROM md_feed_status
        WHERE exchange = {exchange:String} AND symbol = {symbol:String} AND channel = 'book'
    )
) AS following USING (collector, started_ns)
WHERE exchange = {exchange:String} AND symbol = {symbol:String} AND channel = 'book' AND NOT prevented
    AND started_at <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
    AND (isNull(to_ms) OR to_ms >= {since_ms:Int64})
ORDER BY from_ms DESC
LIMIT 50
SETTINGS max_execution_time = 20
