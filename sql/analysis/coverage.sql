-- Coverage: for which share of each hour a feed was proven, by whichever collector, and what is missing of the rest.
-- proven = time of the hour within md_feed_proven / time of the hour since the feed was first known of, up to the end of the
-- range. gaps: intervals that begin in the hour in which no collector proved the feed; prevented: those in which another one
-- did. missed: updates that the venue's own numbers show to be missing; refilled: trades that a REST answer brought later.
-- per_million = 10^6 missed / (missed + rows), rows being those stored of the hour.
-- {exchange} = %: venue ids, a pattern as for LIKE
-- {symbol} = %: canonical symbols, a pattern as for LIKE
-- {channel} = %: kinds of channel, a pattern as for LIKE: book, trades, ...
-- {start} = an hour before the end: from this time on, UTC; hours are whole
-- {end} = now: before this time, UTC
WITH
    toStartOfHour({start:DateTime64(9, 'UTC')}) AS starts,
    {end:DateTime64(9, 'UTC')} AS ends,
    toUnixTimestamp64Nano(toDateTime64(starts, 9, 'UTC')) AS starts_ns,
    toUnixTimestamp64Nano(ends) AS ends_ns,
    3600000000000 AS hour_ns,
    known AS
    (
        SELECT exchange, symbol, channel, toInt64(min(started_ns)) AS since_ns
        FROM md_feed_status_store
        WHERE exchange LIKE {exchange:String} AND symbol LIKE {symbol:String} AND channel LIKE {channel:String}
        GROUP BY exchange, symbol, channel
        HAVING since_ns < ends_ns
    ),
    hours AS
    (
        SELECT
            exchange, symbol, channel,
            arrayJoin(range(toUInt64(greatest(starts_ns, intDiv(since_ns, hour_ns) * hour_ns)), toUInt64(ends_ns), toUInt64(hour_ns))) AS hour_ns_at,
            greatest(toInt64(hour_ns_at), since_ns) AS from_ns,
            least(toInt64(hour_ns_at) + hour_ns, ends_ns) AS to_ns
        FROM known
    ),
    shares AS
    (
        SELECT
            hours.exchange AS exchange, hours.symbol AS symbol, hours.channel AS channel, hour_ns_at,
            any(to_ns - from_ns) AS judged_ns,
            sum(greatest(0, least(valid_to_ns, to_ns) - greatest(valid_from_ns, from_ns))) AS proven_ns
        FROM hours
        LEFT JOIN (SELECT * FROM md_feed_proven WHERE valid_to_ns > starts_ns AND valid_from_ns < ends_ns) AS proven
            ON hours.exchange = proven.exchange AND hours.symbol = proven.symbol AND hours.channel = proven.channel
        GROUP BY exchange, symbol, channel, hour_ns_at
    ),
    gaps AS
    (
        SELECT
            exchange, symbol, channel, toStartOfHour(started_at) AS hour,
            countIf(NOT every.prevented) AS gaps, countIf(every.prevented) AS prevented,
            sumIf(ifNull(every.missed, 0), NOT every.prevented) AS missed,
            arrayStringConcat(arraySort(groupUniqArrayIf(5)(concat(state, ' (', cause, ')'), NOT every.prevented)), ', ') AS causes
        FROM md_feed_gaps AS every
        WHERE started_at >= starts AND started_at < ends AND cause NOT IN ('subscribing', 'no_snapshot')
        GROUP BY exchange, symbol, channel, hour
    ),
    stored AS
    (
        SELECT exchange, symbol, 'book' AS channel, toStartOfHour(timestamp) AS hour, count() AS rows, 0 AS refilled
        FROM md_orderbook_depth
        WHERE timestamp >= starts AND timestamp < ends AND exchange LIKE {exchange:String} AND symbol LIKE {symbol:String}
        GROUP BY exchange, symbol, hour
        UNION ALL
        SELECT exchange, symbol, 'trades' AS channel, toStartOfHour(timestamp) AS hour, count() AS rows, countIf(provenance = 'rest') AS refilled
        FROM md_trades
        WHERE timestamp >= starts AND timestamp < ends AND exchange LIKE {exchange:String} AND symbol LIKE {symbol:String}
        GROUP BY exchange, symbol, hour
    )
SELECT
    toDateTime(intDiv(shares.hour_ns_at, 1000000000), 'UTC') AS hour,
    toString(shares.exchange) AS exchange, toString(shares.symbol) AS symbol, toString(shares.channel) AS channel,
    round(proven_ns / judged_ns, 6) AS proven, ifNull(gaps.gaps, 0) AS gaps, ifNull(gaps.prevented, 0) AS prevented,
    ifNull(gaps.missed, 0) AS missed, ifNull(stored.refilled, 0) AS refilled, ifNull(stored.rows, 0) AS rows,
    round(if(missed = 0, 0, 1e6 * missed / (missed + rows)), 3) AS per_million, ifNull(gaps.causes, '') AS causes
FROM shares
LEFT JOIN gaps ON shares.exchange = gaps.exchange AND shares.symbol = gaps.symbol AND shares.channel = gaps.channel AND hour = gaps.hour
LEFT JOIN stored ON shares.exchange = stored.exchange AND shares.symbol = stored.symbol AND shares.channel = stored.channel AND hour = stored.hour
WHERE judged_ns > 0
ORDER BY hour, exchange, symbol, channel
