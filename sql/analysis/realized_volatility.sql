-- Realized volatility by venue: of the mid, sampled at even steps, per year.
-- r_i = ln(M_i / M_(i-1)), realized variance = sum(r_i^2), volatility = sqrt(variance * 31536000 s / (n * step)) (Andersen and
-- Bollerslev, International Economic Review 39, 1998). A return counts between two mids exactly a step apart, each in force
-- and proven at its time: see spread_by_venue. A short step adds the bounce of the mid to the volatility.
-- {symbol} = BTC-USD%: canonical symbols, a pattern as for LIKE
-- {seconds} = 10: the step
-- {start} = an hour before the end: from this time on, UTC
-- {end} = now: before this time, UTC
WITH
    toUnixTimestamp64Nano({end:DateTime64(9, 'UTC')}) AS ends,
    toInt64({seconds:UInt32}) * 1000000000 AS step,
    tops AS
    (
        SELECT
            exchange, symbol, sequence, {{include mid bid=bid_price ask=ask_price}} AS mid,
            toUnixTimestamp64Nano(venue_time) AS at, toUnixTimestamp64Nano(received_at) AS received
        FROM md_top_of_book
        WHERE symbol LIKE {symbol:String}
            AND timestamp >= {start:DateTime64(9, 'UTC')} AND timestamp < {end:DateTime64(9, 'UTC')}
    ),
    spells AS
    (
        SELECT
            tops.exchange AS exchange, tops.symbol AS symbol, mid, at,
            leadInFrame(at, 1, ends) OVER (
                PARTITION BY tops.exchange, tops.symbol ORDER BY at, sequence
                ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
            ) AS next_at,
            if(valid_from_ns > 0 AND received <= valid_to_ns, at + (valid_to_ns - received), 0) AS proven_to,
            greatest(least(next_at, ends, proven_to), at) AS until
        FROM tops
        ASOF LEFT JOIN (SELECT * FROM md_feed_proven WHERE channel = 'book') AS proven
            ON tops.exchange = proven.exchange AND tops.symbol = proven.symbol AND tops.received >= proven.valid_from_ns
    ),
    sampled AS
    (
        SELECT
            exchange, symbol, assumeNotNull(mid) AS mid,
            arrayJoin(range(toUInt64(intDiv(at + step - 1, step)), toUInt64(intDiv(until + step - 1, step)))) AS tick
        FROM spells
        WHERE isNotNull(mid)
    ),
    returns AS
    (
        SELECT
            exchange, symbol, tick - lagInFrame(tick, 1, 0) OVER following AS apart,
            log(mid / lagInFrame(mid, 1, mid) OVER following) AS r
        FROM sampled
        WINDOW following AS (PARTITION BY exchange, symbol ORDER BY tick ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
    )
SELECT
    exchange, symbol, count() AS returns, sum(r * r) AS realized_variance,
    sqrt(realized_variance * 31536000 / (returns * {seconds:UInt32})) AS volatility_per_year
FROM returns
WHERE apart = 1
GROUP BY exchange, symbol
ORDER BY exchange, symbol
