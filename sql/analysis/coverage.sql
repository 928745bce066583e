-- Coverage: for which share of each hour a feed was proven, by whichever collector, and what is missing of the rest.
-- proven = time of the hour within md_feed_proven / time of the hour since the feed was first known of, up to the end of the
-- range. gaps: intervals that begin in the hour in which no collector proved the feed; prevented: those in which another one
-- did. missed: updates that the venue's own numbers show to be missing; refilled: trades that a REST answer brought later.
-- per_million = 10^6 missed / (missed + rows), rows being those stored of the hour. judged_s: seconds of the hour that were judged.
-- {exchange} = %: venue ids, a pattern as for LIKE
-- {symbol} = %: canonical symbols, a pattern as for LIKE
-- {channel} = %: kinds of channel, a pattern as for LIKE: book, trades, ...
-- {start} = an hour before the end: from this time on, UTC; hours are whole
-- {end} = now: before this time, UTC
WITH
    {{include feed_hours}},
    {{include feed_rows}}
SELECT
    toDateTime(intDiv(shares.hour_ns_at, 1000000000), 'UTC') AS hour,
    toString(shares.exchange) AS exchange, toString(shares.symbol) AS symbol, toString(shares.channel) AS channel,
    round(proven_ns / judged_ns, 6) AS proven, ifNull(gaps.gaps, 0) AS gaps, ifNull(gaps.prevented, 0) AS prevented,
    ifNull(gaps.missed, 0) AS missed, ifNull(stored.refilled, 0) AS refilled, ifNull(stored.rows, 0) AS rows,
    round(if(missed = 0, 0, 1e6 * missed / (missed + rows)), 3) AS per_million, ifNull(gaps.causes, '') AS causes,
    judged_ns / 1e9 AS judged_s
FROM shares
LEFT JOIN gaps ON shares.exchange = gaps.exchange AND shares.symbol = gaps.symbol AND shares.channel = gaps.channel AND hour = gaps.hour
LEFT JOIN stored ON shares.exchange = stored.exchange AND shares.symbol = stored.symbol AND shares.channel = stored.channel AND hour = stored.hour
WHERE judged_ns > 0
ORDER BY hour, exchange, symbol, channel
