-- Depth over time: how much is bid and offered within so many bps of the mid.
-- Bids at M (1 - x / 10000) or higher and asks at M (1 + x / 10000) or lower, M = (a + b) / 2 of the same book, in base units. Of
-- the last book of each interval, in the levels that are published: NULL where they do not reach beyond the bound, as more
-- may lie behind them (for 10 bps md_orderbook_depth has it of the whole known book).
-- {symbol} = BTC-USD%: canonical symbols, a pattern as for LIKE
-- {bps} = 1: how far from the mid
-- {seconds} = 10: length of an interval
-- {start} = an hour before the end: from this time on, UTC
-- {end} = now: before this time, UTC
WITH
    books AS
    (
        SELECT
            exchange, symbol, toStartOfInterval(venue_time, toIntervalSecond({seconds:UInt32})) AS at,
            argMax((b, bv, a, av), (venue_time, sequence)) AS last, last.1 AS bids, last.3 AS asks,
            if(empty(bids) OR empty(asks), NULL, (bids[1] + asks[1]) / 2) AS mid
        FROM md_orderbook_depth
        WHERE symbol LIKE {symbol:String}
            AND timestamp >= {start:DateTime64(9, 'UTC')} AND timestamp < {end:DateTime64(9, 'UTC')}
        GROUP BY exchange, symbol, at
    )
SELECT
    at, exchange, symbol,
    if(bids[-1] < mid * (1 - {bps:Float64} / 10000), arraySum((p, q) -> if(p >= ifNull(mid, 0) * (1 - {bps:Float64} / 10000), q, 0), bids, last.2), NULL) AS bid_depth,
    if(asks[-1] > mid * (1 + {bps:Float64} / 10000), arraySum((p, q) -> if(p <= ifNull(mid, 0) * (1 + {bps:Float64} / 10000), q, 0), asks, last.4), NULL) AS ask_depth
FROM books
ORDER BY at, exchange, symbol
