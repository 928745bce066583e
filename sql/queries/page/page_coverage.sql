-- The calendar of the live page: of each feed, in steps of so many hours, the proven share of the judged time, gaps, those
-- that another collector prevented, what is missing and why.
WITH
    {{include feed_hours}}
SELECT
    toString(shares.exchange) AS exchange, toString(shares.symbol) AS symbol, toString(shares.channel) AS channel,
    toInt64(intDiv(hour_ns_at, {step_h:Int64} * hour_ns) * {step_h:Int64} * hour_ns / 1000000) AS at_ms,
    sum(proven_ns) / sum(judged_ns) AS proven, sum(proven_ns) / 1e9 AS proven_s, sum(ifNull(gaps.gaps, 0)) AS gaps, sum(ifNull(gaps.prevented, 0)) AS prevented,
    toInt64(sum(ifNull(gaps.missed, 0))) AS missed
FROM shares
LEFT JOIN gaps ON shares.exchange = gaps.exchange AND shares.symbol = gaps.symbol AND shares.channel = gaps.channel
    AND toDateTime(intDiv(hour_ns_at, 1000000000), 'UTC') = gaps.hour
WHERE judged_ns > 0
GROUP BY exchange, symbol, channel, at_ms
ORDER BY exchange, symbol, channel, at_ms
LIMIT 20000
SETTINGS max_execution_time = 20
