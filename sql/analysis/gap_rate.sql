-- Gap rate: how many messages are missing, per million, of each feed, of each kind of channel and of all.
-- per_million = 10^6 missed / (missed + rows): missed as the venue's own numbers show it, over gaps in which no collector
-- proved the feed; rows: messages stored. prevented: gaps of one collector that another one filled, and what that one alone
-- would have missed. Where a venue numbers updates and not messages, missed counts updates: the rate is then an upper bound.
-- Symbols and venues that are empty stand for all of them.
-- {exchange} = %: venue ids, a pattern as for LIKE
-- {symbol} = %: canonical symbols, a pattern as for LIKE
-- {channel} = %: kinds of channel, a pattern as for LIKE: book, trades, ...
-- {start} = an hour before the end: from this time on, UTC; hours are whole
-- {end} = now: before this time, UTC
WITH
    toStartOfHour({start:DateTime64(9, 'UTC')}) AS starts,
    {end:DateTime64(9, 'UTC')} AS ends,
    {{include feed_rows}},
    counted AS
    (
        SELECT
            toString(exchange) AS exchange, toString(symbol) AS symbol, toString(channel) AS channel,
            rows, 0 AS gaps, 0 AS missed, 0 AS prevented, 0 AS missed_prevented
        FROM stored
        UNION ALL
        SELECT
            toString(exchange), toString(symbol), toString(channel),
            0, NOT every.prevented, if(every.prevented, 0, ifNull(every.missed, 0)),
            every.prevented, if(every.prevented, ifNull(every.missed, 0), 0)
        FROM md_feed_gaps AS every
        WHERE started_at >= starts AND started_at < ends AND cause NOT IN ('subscribing', 'no_snapshot')
            AND exchange LIKE {exchange:String} AND symbol LIKE {symbol:String}
    )
SELECT
    exchange, symbol, channel, sum(counted.rows) AS rows, sum(counted.gaps) AS gaps, sum(counted.missed) AS missed,
    sum(counted.prevented) AS prevented, sum(counted.missed_prevented) AS missed_prevented,
    round(if(missed = 0, 0, 1e6 * missed / (missed + rows)), 3) AS per_million
FROM counted
WHERE channel LIKE {channel:String}
GROUP BY GROUPING SETS ((exchange, symbol, channel), (channel), ())
HAVING rows + gaps + prevented > 0
ORDER BY exchange, symbol, channel
