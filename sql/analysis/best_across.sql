-- Best bid and ask of all venues, at even steps: where one would have sold and bought, and how far the two were apart.
-- bid = max of the venues' best bids, ask = min of their best asks; below 0 the spread says that venues cross. Of each
-- venue what was known by receipt and is proven for that moment; of equal prices the larger size. Of md_best_across.
-- {symbol} = BTC-USDT: canonical symbol
-- {seconds} = 60: from one step to the next
-- {start} = an hour before the end: from this time on, UTC
-- {end} = now: before this time, UTC
SELECT *
FROM md_best_across(
    symbol = {symbol:String}, start = toString({start:DateTime64(9, 'UTC')}), end = toString({end:DateTime64(9, 'UTC')}),
    seconds = {seconds:UInt32})
