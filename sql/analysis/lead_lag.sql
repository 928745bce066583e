-- Lead and lag of two venues: the correlation of their returns, one of them moved in time.
-- corr(r_leader(t), r_follower(t + lag)) of log returns of the mids at even steps; a peak at a lag above 0 says that the
-- follower comes later by that much (Huth and Abergel, Journal of Empirical Finance 26, 2014, on a grid instead of by tick).
-- Times are those of receipt: two venues' clocks differ by more than such lags. Books are as received, proven or not.
-- {leader} = binance: venue id
-- {leader_symbol} = BTC-USDT: canonical symbol there
-- {follower} = coinbase: venue id
-- {follower_symbol} = BTC-USD: canonical symbol there
-- {step_ms} = 100: the step
-- {lags} = 20: how many steps to either side
-- {start} = an hour before the end: from this time on, UTC
-- {end} = now: before this time, UTC
WITH
    toInt64({step_ms:UInt32}) * 1000000 AS step,
    spells AS
    (
        SELECT
            exchange = {leader:String} AND symbol = {leader_symbol:String} AS leads, {{include mid bid=bid_price ask=ask_price}} AS mid,
            toUnixTimestamp64Nano(received_at) AS at,
            leadInFrame(at, 1, at) OVER (
                PARTITION BY exchange, symbol ORDER BY received_at, sequence
                ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
            ) AS next_at
        FROM md_top_of_book
        WHERE ((exchange = {leader:String} AND symbol = {leader_symbol:String})
                OR (exchange = {follower:String} AND symbol = {follower_symbol:String}))
            AND timestamp >= {start:DateTime64(9, 'UTC')} AND timestamp < {end:DateTime64(9, 'UTC')}
    ),
    sampled AS
    (
        SELECT
            leads, assumeNotNull(mid) AS mid,
            arrayJoin(range(toUInt64(intDiv(at + step - 1, step)), toUInt64(intDiv(next_at + step - 1, step)))) AS tick
        FROM spells
        WHERE isNotNull(mid)
    ),
    returns AS
    (
        SELECT
            leads, tick, tick - lagInFrame(tick, 1, 0) OVER following AS apart,
            log(mid / lagInFrame(mid, 1, mid) OVER following) AS r
        FROM sampled
        WINDOW following AS (PARTITION BY leads ORDER BY tick ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
    )
SELECT lag * {step_ms:UInt32} AS lag_ms, count() AS pairs, corrStable(a.r, b.r) AS correlation
FROM
(
    SELECT r, arrayJoin(range(-toInt64({lags:UInt32}), toInt64({lags:UInt32}) + 1)) AS lag, toInt64(tick) + lag AS met
    FROM returns
    WHERE leads AND apart = 1
) AS a
INNER JOIN (SELECT r, toInt64(tick) AS met FROM returns WHERE NOT leads AND apart = 1) AS b ON a.met = b.met
GROUP BY lag
ORDER BY lag
