-- Trades with the quote in force: each trade beside the best bid and ask published before it.
-- An as-of join on the venue's own clock: the last top of book strictly before the trade. The first trades of the range.
-- {exchange} = binance: venue id
-- {symbol} = BTC-USDT: canonical symbol
-- {rows} = 20: at most so many
-- {start} = an hour before the end: from this time on, UTC
-- {end} = now: before this time, UTC
WITH tops AS
    (
        SELECT exchange, venue_time, argMax((bid_price, ask_price), sequence) AS best
        FROM md_top_of_book
        WHERE exchange = {exchange:String} AND symbol = {symbol:String}
            AND timestamp >= {start:DateTime64(9, 'UTC')} - INTERVAL 1 MINUTE AND timestamp < {end:DateTime64(9, 'UTC')}
        GROUP BY exchange, venue_time
    )
SELECT
    trades.timestamp AS timestamp, id, side, price, qty, best.1 AS bid_price, best.2 AS ask_price,
    (toUnixTimestamp64Nano(trades.venue_time) - toUnixTimestamp64Nano(tops.venue_time)) / 1e6 AS quote_age_ms,
    multiIf(
        isNull(best.1) OR isNull(best.2), 'a side is empty',
        price > best.2, 'above ask', price = best.2, 'at ask', price > best.1, 'inside', price = best.1, 'at bid',
        'below bid'
    ) AS place
FROM md_trades AS trades
ASOF JOIN tops ON trades.exchange = tops.exchange AND trades.venue_time > tops.venue_time
WHERE trades.exchange = {exchange:String} AND trades.symbol = {symbol:String}
    AND trades.timestamp >= {start:DateTime64(9, 'UTC')} AND trades.timestamp < {end:DateTime64(9, 'UTC')}
ORDER BY trades.venue_time, length(id), id
LIMIT {rows:UInt32}
