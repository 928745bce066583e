-- Lead and lag of all venues: of each pair the lag at which their returns go together most.
-- The correlations of lead_lag, of every two feeds of these symbols; lag_ms > 0: the follower comes later by so much. Of each
-- pair the lag with the largest correlation, and what it is at no lag at all (Huth and Abergel, Journal of Empirical Finance
-- 26, 2014, on a grid). Each pair stands once, with the one that leads first; where no lag is better than 0, by name.
-- {symbol} = BTC-USD%: canonical symbols, a pattern as for LIKE
-- {step_ms} = 100: the step
-- {lags} = 20: how many steps to either side
-- {start} = an hour before the end: from this time on, UTC
-- {end} = now: before this time, UTC
WITH
    toInt64({step_ms:UInt32}) * 1000000 AS step,
    spells AS
    (
        SELECT
            concat(exchange, ' ', symbol) AS feed, {{include mid bid=bid_price ask=ask_price}} AS mid,
            toUnixTimestamp64Nano(received_time) AS at,
            leadInFrame(at, 1, at) OVER (
                PARTITION BY exchange, symbol ORDER BY received_time, sequence
                ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
            ) AS next_at
        FROM md_top_of_book
        WHERE symbol LIKE {symbol:String}
            AND timestamp >= {start:DateTime64(9, 'UTC')} AND timestamp < {end:DateTime64(9, 'UTC')}
    ),
    sampled AS
    (
        SELECT
            feed, assumeNotNull(mid) AS mid,
            arrayJoin(range(toUInt64(intDiv(at + step - 1, step)), toUInt64(intDiv(next_at + step - 1, step)))) AS tick
        FROM spells
        WHERE isNotNull(mid)
    ),
    returns AS
    (
        SELECT
            feed, toInt64(tick) AS tick, tick - lagInFrame(tick, 1, 0) OVER following AS apart,
            log(mid / lagInFrame(mid, 1, mid) OVER following) AS r
        FROM sampled
        WINDOW following AS (PARTITION BY feed ORDER BY tick ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
    ),
    correlations AS
    (
        SELECT first.feed AS one, second.feed AS other, lag, count() AS pairs, corrStable(first.r, second.r) AS correlation
        FROM
        (
            SELECT feed, r, arrayJoin(range(-toInt64({lags:UInt32}), toInt64({lags:UInt32}) + 1)) AS lag, tick + lag AS met
            FROM returns
            WHERE apart = 1
        ) AS first
        INNER JOIN (SELECT feed, r, tick AS met FROM returns WHERE apart = 1) AS second ON first.met = second.met
        WHERE one < other
        GROUP BY one, other, lag
        HAVING isFinite(correlation)
    ),
    best AS
    (
        SELECT one, other, argMax((lag, pairs, correlation), (correlation, -abs(lag))) AS found, anyIf(correlation, lag = 0) AS at_once
        FROM correlations
        GROUP BY one, other
    )
SELECT
    if(found.1 < 0, other, one) AS leader, if(found.1 < 0, one, other) AS follower, abs(found.1) * {step_ms:UInt32} AS lag_ms,
    found.3 AS correlation, at_once AS correlation_at_0, found.2 AS pairs
FROM best
ORDER BY leader, follower
