toStartOfHour({start:DateTime64(9, 'UTC')}) AS starts,
    {end:DateTime64(9, 'UTC')} AS ends,
    toUnixTimestamp64Nano(toDateTime64(starts, 9, 'UTC')) AS starts_ns,
    toUnixTimestamp64Nano(ends) AS ends_ns,
    3600000000000 AS hour_ns,
    known AS
    (
        SELECT exchange, symbol, channel, toInt64(min(started_ns)) AS since_ns
        FROM md_feed_status
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
    )
