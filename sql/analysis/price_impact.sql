-- Price impact: Kyle's lambda and Amihud's illiquidity, by venue.
-- lambda is the slope of r = c + lambda S + e over even intervals, with r = ln(P / P') of the last trades of an interval and of
-- the one before, and S = sum(sign sqrt(p q)) of its trades, sign +1 where the taker bought, p q in quote units (Hasbrouck,
-- Journal of Finance 64, 2009); shown in bps per thousand units of S, with the share of the variance of r that it explains.
-- illiquidity = mean(|r| / V) with V = sum(p q), in bps per million of quote units (Amihud, Journal of Financial Markets 5,
-- 2002, by interval instead of by day). Of intervals with trades after one with trades.
-- {symbol} = BTC-USD%: canonical symbols, a pattern as for LIKE
-- {seconds} = 300: length of an interval
-- {start} = an hour before the end: from this time on, UTC
-- {end} = now: before this time, UTC
WITH
    bars AS
    (
        SELECT
            exchange, symbol, intDiv(toUnixTimestamp64Nano(venue_time), toInt64({seconds:UInt32}) * 1000000000) AS bar,
            argMax(price, (venue_time, length(id), id)) AS closing, sum(price * qty) AS volume,
            sum(if(side = 'buy', 1, -1) * sqrt(price * qty)) AS flow
        FROM md_trades
        WHERE symbol LIKE {symbol:String}
            AND timestamp >= {start:DateTime64(9, 'UTC')} AND timestamp < {end:DateTime64(9, 'UTC')}
        GROUP BY exchange, symbol, bar
    ),
    moves AS
    (
        SELECT
            exchange, symbol, volume, flow, bar - lagInFrame(bar, 1, 0) OVER following = 1 AS follows,
            10000 * log(closing / lagInFrame(closing, 1, closing) OVER following) AS r
        FROM bars
        WINDOW following AS (PARTITION BY exchange, symbol ORDER BY bar ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
    )
SELECT
    exchange, symbol, count() AS intervals, 1000 * covarPopStable(flow, r) / varPopStable(flow) AS lambda_bps,
    pow(corrStable(flow, r), 2) AS r_squared, 1e6 * avg(abs(r) / volume) AS illiquidity_bps
FROM moves
WHERE follows AND volume > 0
GROUP BY exchange, symbol
ORDER BY exchange, symbol
