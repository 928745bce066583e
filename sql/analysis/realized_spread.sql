-- Realized spread by horizon: what makers keep of the spread as time goes by.
-- Realized = 2 D (P - M') / M, D = 1 for a buyer-initiated trade and -1 for a seller-initiated one, P its price, M the mid
-- just before it and M' the mid a horizon later; impact = 2 D (M' - M) / M (Huang and Stoll, Journal of Financial Economics 41,
-- 1996). In bps, weighted with size. At each horizon of the trades for which both mids are known; see effective_spread.
-- {symbol} = BTC-USD%: canonical symbols, a pattern as for LIKE
-- {horizons} = [1, 5, 15, 60]: how much later the mid M' is taken, seconds
-- {start} = an hour before the end: from this time on, UTC
-- {end} = now: before this time, UTC
WITH
    tops AS
    (
        SELECT *, max(venue_time) OVER (PARTITION BY exchange, symbol) AS last_time
        FROM
        (
            SELECT
                exchange, symbol, venue_time, argMax((bid_price, ask_price), sequence) AS best, (best.1 + best.2) / 2 AS mid
            FROM md_top_of_book
            WHERE symbol LIKE {symbol:String}
                AND timestamp >= {start:DateTime64(9, 'UTC')} - INTERVAL 1 MINUTE
                AND timestamp < {end:DateTime64(9, 'UTC')} + toIntervalSecond(arrayMax({horizons:Array(UInt32)}))
            GROUP BY exchange, symbol, venue_time
        )
    ),
    before AS
    (
        SELECT
            trades.exchange AS exchange, trades.symbol AS symbol, price, qty, if(side = 'buy', 1, -1) AS direction,
            arrayJoin({horizons:Array(UInt32)}) AS seconds, trades.venue_time + toIntervalSecond(seconds) AS later, tops.mid AS mid_before
        FROM md_trades AS trades
        ASOF JOIN tops
            ON trades.exchange = tops.exchange AND trades.symbol = tops.symbol AND trades.venue_time > tops.venue_time
        WHERE trades.symbol LIKE {symbol:String}
            AND trades.timestamp >= {start:DateTime64(9, 'UTC')} AND trades.timestamp < {end:DateTime64(9, 'UTC')}
    )
SELECT
    seconds, before.exchange AS exchange, before.symbol AS symbol, count() AS trades,
    sum(20000 * direction * (price - tops.mid) / mid_before * qty) / sum(qty) AS realized_bps,
    sum(20000 * direction * (tops.mid - mid_before) / mid_before * qty) / sum(qty) AS impact_bps
FROM before
ASOF JOIN tops
    ON before.exchange = tops.exchange AND before.symbol = tops.symbol AND before.later >= tops.venue_time
WHERE before.later <= tops.last_time AND isNotNull(mid_before) AND isNotNull(tops.mid)
GROUP BY seconds, exchange, symbol
ORDER BY exchange, symbol, seconds
