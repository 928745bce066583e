-- Bars of any length: open, high, low, close, volume and VWAP of trades.
-- VWAP = sum(p q) / sum(q). A match that is known twice, by itself and in a trade of several, counts once. Trades of one moment are in the order of their ids. Bars without a trade are left out; those of
-- a minute are stored in md_trades_minute.
-- {exchange} = binance: venue id
-- {symbol} = BTC-USDT: canonical symbol
-- {seconds} = 60: length of a bar
-- {start} = an hour before the end: from this time on, UTC
-- {end} = now: before this time, UTC
WITH {start:DateTime64(9, 'UTC')} AS starts, {end:DateTime64(9, 'UTC')} AS ends
SELECT
    toStartOfInterval(timestamp, toIntervalSecond({seconds:UInt32})) AS bar,
    argMin(price, place) AS open, max(price) AS high, min(price) AS low, argMax(price, place) AS close,
    sum(qty) AS volume, sum(price * qty) / volume AS vwap, sumIf(qty, side = 'buy') AS buy_volume, sum(ifNull(count, 1)) AS trades
FROM
(
    SELECT *, (venue_time, number, id) AS place
    FROM
    (
        {{include counted_trades begin=starts end=ends}}
    )
) AS ordered
WHERE exchange = {exchange:String} AND symbol = {symbol:String}
GROUP BY bar
ORDER BY bar
