-- Open interest over time, collected or of the venue's archive where nothing was collected.
-- One side of each contract or both, as the venue counts them (mdplatform doctor --venues): compare a venue with itself.
-- {exchange} = binance-usdm: venue id
-- {symbol} = BTC-USDT-PERP: canonical symbol
-- {start} = an hour before the end: from this time on, UTC
-- {end} = now: before this time, UTC
SELECT timestamp, open_interest, open_interest_value, raw_open_interest, provenance
FROM md_open_interest_all
WHERE exchange = {exchange:String} AND symbol = {symbol:String}
    AND timestamp >= {start:DateTime64(9, 'UTC')} AND timestamp < {end:DateTime64(9, 'UTC')}
ORDER BY timestamp
