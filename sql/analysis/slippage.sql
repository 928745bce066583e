-- Slippage of an order size: what buying or selling it at once would have cost, by venue.
-- The order takes level after level, the best first: price = sum(p_i q_i) / size, with q_i = what it takes of level i.
-- Slippage = 10000 (price / M - 1) for a buy and 10000 (1 - price / M) for a sale, in bps of the mid M. Of the last book of
-- each second, in the levels that are published; where they do not hold the size, the book counts as not filled.
-- {symbol} = BTC-USD%: canonical symbols, a pattern as for LIKE
-- {size} = 1: size of the order, base units
-- {start} = an hour before the end: from this time on, UTC
-- {end} = now: before this time, UTC
WITH
    {size:Float64} AS size,
    books AS
    (
        SELECT
            exchange, symbol, toStartOfSecond(venue_time) AS second,
            argMax((b, bv, a, av), (venue_time, sequence)) AS last, (last.1[1] + last.3[1]) / 2 AS mid
        FROM md_orderbook_depth
        WHERE symbol LIKE {symbol:String} AND notEmpty(b) AND notEmpty(a)
            AND timestamp >= {start:DateTime64(9, 'UTC')} AND timestamp < {end:DateTime64(9, 'UTC')}
        GROUP BY exchange, symbol, second
    ),
    walked AS
    (
        SELECT
            exchange, symbol, last.1 AS b, last.2 AS bv, last.3 AS a, last.4 AS av,
            arrayMap((q, reached) -> greatest(least(q, size - (reached - q)), 0), av, arrayCumSum(av)) AS bought,
            arrayMap((q, reached) -> greatest(least(q, size - (reached - q)), 0), bv, arrayCumSum(bv)) AS sold,
            if(arraySum(av) >= size, 10000 * (arraySum((p, q) -> p * q, a, bought) / size / mid - 1), NULL) AS buy_bps,
            if(arraySum(bv) >= size, 10000 * (1 - arraySum((p, q) -> p * q, b, sold) / size / mid), NULL) AS sell_bps
        FROM books
    )
SELECT
    exchange, symbol, count() AS books,
    avg(buy_bps) AS mean_buy_bps, quantileExact(0.95)(buy_bps) AS p95_buy_bps, count(buy_bps) / books AS buys_filled,
    avg(sell_bps) AS mean_sell_bps, quantileExact(0.95)(sell_bps) AS p95_sell_bps, count(sell_bps) / books AS sales_filled
FROM walked
GROUP BY exchange, symbol
ORDER BY exchange, symbol
