-- Funding as it was paid, one row a payment: by the venue's archive, else as it was stated last before the payment.
-- A long position pays rate * size * mark price to a short one; below 0 it receives that.
-- {exchange} = binance-usdm: venue id
-- {symbol} = BTC-USDT-PERP: canonical symbol
-- {start} = an hour before the end: from this time on, UTC
-- {end} = now: before this time, UTC
SELECT paid_at, rate, mark_price, index_price, stated_at, stated_rate, provenance
FROM md_funding_paid
WHERE exchange = {exchange:String} AND symbol = {symbol:String}
    AND paid_at >= {start:DateTime64(9, 'UTC')} AND paid_at < {end:DateTime64(9, 'UTC')}
ORDER BY paid_at
