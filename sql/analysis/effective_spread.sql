-- Effective spread by venue: what takers paid, and how much of it makers kept.
-- Effective = 2 D (P - M) / M, D = 1 for a buyer-initiated trade and -1 for a seller-initiated one, P its price, M the mid
-- just before it; realized = 2 D (P - M') / M with M' the mid some seconds later; impact = effective - realized (Huang and
-- Stoll, Journal of Financial Economics 41, 1996). In bps, weighted with size; of trades for which both mids are known.
-- M is that of the last book published before the trade: where a venue sends books every 100 ms, up to so long before.
-- {symbol} = BTC-USD%: canonical symbols, a pattern as for LIKE
-- {seconds} = 5: how much later the mid M' is taken
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
                AND timestamp < {end:DateTime64(9, 'UTC')} + toIntervalSecond({seconds:UInt32})
            GROUP BY exchange, symbol, venue_time
        )
    ),
    before AS
    (
        SELECT
            trades.exchange AS exchange, trades.symbol AS symbol, price, qty, if(side = 'buy', 1, -1) AS direction,
            trades.venue_time + toIntervalSecond({seconds:UInt32}) AS later, tops.mid AS mid_before
        FROM md_trades AS trades
        ASOF JOIN tops
            ON trades.exchange = tops.exchange AND trades.symbol = tops.symbol AND trades.venue_time > tops.venue_time
        WHERE trades.symbol LIKE {symbol:String}
            AND trades.timestamp >= {start:DateTime64(9, 'UTC')} AND trades.timestamp < {end:DateTime64(9, 'UTC')}
    )
SELECT
    before.exchange AS exchange, before.symbol AS symbol, count() AS trades, sum(qty) AS volume,
    sum(20000 * direction * (price - mid_before) / mid_before * qty) / volume AS effective_bps,
    sum(20000 * direction * (price - tops.mid) / mid_before * qty) / volume AS realized_bps,
    sum(20000 * direction * (tops.mid - mid_before) / mid_before * qty) / volume AS impact_bps
FROM before
ASOF JOIN tops
    ON before.exchange = tops.exchange AND before.symbol = tops.symbol AND before.later >= tops.venue_time
WHERE before.later <= tops.last_time AND isNotNull(mid_before) AND isNotNull(tops.mid)
GROUP BY exchange, symbol
ORDER BY exchange, symbol
