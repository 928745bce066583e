-- Bars of any length: open, high, low, close, volume and VWAP of trades, right while the hour runs.
-- VWAP = sum(p q) / sum(q). A match that is known twice, by itself and in a trade of several, counts once. Trades of one
-- moment are in the order of their ids. Bars without a trade are left out; each is whole, also where the range cuts it.
-- coverage: the share of the bar for which its trades were proven as they came; a gap that was filled later is not in it.
-- Of md_bars, which takes hours that are built from md_trades_minute where minutes divide the bar.
-- {exchange} = binance: venue id
-- {symbol} = BTC-USDT: canonical symbol
-- {seconds} = 60: length of a bar
-- {start} = an hour before the end: from this time on, UTC
-- {end} = now: before this time, UTC
SELECT bar, open, high, low, close, volume, vwap, buy_volume, trades, coverage
FROM md_bars(seconds = {seconds:UInt32})
WHERE exchange = {exchange:String} AND symbol = {symbol:String}
    AND bar > subtractSeconds({start:DateTime64(9, 'UTC')}, {seconds:UInt32}) AND bar < {end:DateTime64(9, 'UTC')}
ORDER BY bar
