-- Spread by venue: how far best bid and ask were apart, weighted with time.
-- S = 10000 (a - b) / M in bps of the mid M = (a + b) / 2; mean = sum(S dt) / sum(dt). A top of book is in force from its
-- venue time until the next one's, the end of the range or the end of the proof that no update was missed, whichever is
-- first; the last one before the range (at most an hour older) carries in. Proofs are on the collector's clock, and are
-- moved to venue time by the lag of the top itself, as for md_spread_hourly. While a side is empty there is no spread: that
-- time is proven, and is in no mean.
-- {symbol} = BTC-USD%: canonical symbols, a pattern as for LIKE
-- {start} = an hour before the end: from this time on, UTC
-- {end} = now: before this time, UTC
WITH
    toUnixTimestamp64Nano({start:DateTime64(9, 'UTC')}) AS starts,
    toUnixTimestamp64Nano({end:DateTime64(9, 'UTC')}) AS ends,
    tops AS
    (
        SELECT
            exchange, symbol, sequence, {{include spread bid=bid_price ask=ask_price}} AS gap, {{include spread_bps bid=bid_price ask=ask_price}} AS bps,
            toUnixTimestamp64Nano(venue_time) AS at, toUnixTimestamp64Nano(received_at) AS received
        FROM md_top_of_book
        WHERE symbol LIKE {symbol:String}
            AND timestamp >= {start:DateTime64(9, 'UTC')} - INTERVAL 1 HOUR AND timestamp < {end:DateTime64(9, 'UTC')}
    ),
    spells AS
    (
        SELECT
            tops.exchange AS exchange, tops.symbol AS symbol, gap, bps,
            at >= starts AS inside, greatest(at, starts) AS begins,
            leadInFrame(at, 1, ends) OVER (
                PARTITION BY tops.exchange, tops.symbol ORDER BY at, sequence
                ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
            ) AS next_at,
            if(valid_from_ns > 0 AND received <= valid_to_ns, at + (valid_to_ns - received), 0) AS proven_to,
            toUInt64(greatest(least(next_at, ends, proven_to), begins) - begins) AS proven_for,
            if(isNull(gap), 0, proven_for) AS held
        FROM tops
        ASOF LEFT JOIN (SELECT * FROM md_feed_proven WHERE channel = 'book') AS proven
            ON tops.exchange = proven.exchange AND tops.symbol = proven.symbol AND tops.received >= proven.valid_from_ns
    )
SELECT
    exchange, symbol, countIf(inside) AS updates, round(sum(proven_for) / 1e9, 3) AS proven_seconds,
    sum(gap * held) / sum(held) AS spread, sum(bps * held) / sum(held) AS spread_bps,
    quantileExactWeighted(0.5)(bps, held) AS spread_bps_median, quantileExactWeighted(0.95)(bps, held) AS spread_bps_p95
FROM spells
GROUP BY exchange, symbol
HAVING sum(held) > 0
ORDER BY exchange, symbol
