-- Slippage of an order size: what buying or selling it at once would have cost, by venue.
-- The order takes level after level, the best first: price = sum(p_i q_i) / size, with q_i = what it takes of level i.
-- Slippage = 10000 (price / M - 1) for a buy and 10000 (1 - price / M) for a sale, in bps of the mid M. Of the last book of
-- each second, in the levels that are published. Where they do not hold the size, the order takes all that they hold: the
-- mean is over all that was bought or sold, so that thin books count for what they gave; *_unfilled is the share of the
-- order that they could not fill, *_filled the share of books that filled it whole. Beyond the levels it would cost more.
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
            argMax((b, bv, a, av), (venue_time, sequence)) AS last,
            if(empty(last.1) OR empty(last.3), NULL, (last.1[1] + last.3[1]) / 2) AS mid
        FROM md_orderbook_depth
        WHERE symbol LIKE {symbol:String}
            AND timestamp >= {start:DateTime64(9, 'UTC')} AND timestamp < {end:DateTime64(9, 'UTC')}
        GROUP BY exchange, symbol, second
    ),
    walked AS
    (
        SELECT
            exchange, symbol, last.1 AS b, last.2 AS bv, last.3 AS a, last.4 AS av,
            arrayMap((q, reached) -> greatest(least(q, size - (reached - q)), 0), av, arrayCumSum(av)) AS bought,
            arrayMap((q, reached) -> greatest(least(q, size - (reached - q)), 0), bv, arrayCumSum(bv)) AS sold,
            -- All of the size or all of the side, not what adding it up gives, which is a bit off.
            least(arraySum(av), size) AS buys, least(arraySum(bv), size) AS sales,
            10000 * (arraySum((p, q) -> p * q, a, bought) / nullIf(buys, 0) / mid - 1) AS buy_bps,
            10000 * (1 - arraySum((p, q) -> p * q, b, sold) / nullIf(sales, 0) / mid) AS sell_bps
        FROM books
    )
SELECT
    exchange, symbol, count() AS books,
    sum(buy_bps * buys) / nullIf(sumIf(buys, isNotNull(buy_bps)), 0) AS mean_buy_bps, quantileExact(0.95)(buy_bps) AS p95_buy_bps,
    countIf(buys >= size) / books AS buys_filled, avg(greatest(size - buys, 0)) / size AS buys_unfilled,
    sum(sell_bps * sales) / nullIf(sumIf(sales, isNotNull(sell_bps)), 0) AS mean_sell_bps, quantileExact(0.95)(sell_bps) AS p95_sell_bps,
    countIf(sales >= size) / books AS sales_filled, avg(greatest(size - sales, 0)) / size AS sales_unfilled
FROM walked
GROUP BY exchange, symbol
ORDER BY exchange, symbol
