-- Trade sizes: how many trades are how large, and which share of the volume they bring.
-- Notional = p q in quote units, in bins whose bounds are powers of 10^(1/n); trades of a message that stands for several
-- matches count as one. share_of_volume is of notional (Gopikrishnan, Plerou, Gabaix and Stanley, Physical Review E 62, 2000:
-- such sizes have heavy tails, so that means of them say little).
-- {symbol} = BTC-USD%: canonical symbols, a pattern as for LIKE
-- {bins} = 2: bins a power of ten, n
-- {start} = an hour before the end: from this time on, UTC
-- {end} = now: before this time, UTC
SELECT
    exchange, symbol, exp10(bin / {bins:UInt32}) AS from_notional, count() AS trades, sum(notional) AS volume,
    trades / sum(trades) OVER feed AS share_of_trades, volume / sum(volume) OVER feed AS share_of_volume
FROM
(
    SELECT exchange, symbol, price * qty AS notional, floor(log10(notional) * {bins:UInt32}) AS bin
    FROM md_trades
    WHERE symbol LIKE {symbol:String} AND price * qty > 0
        AND timestamp >= {start:DateTime64(9, 'UTC')} AND timestamp < {end:DateTime64(9, 'UTC')}
)
GROUP BY exchange, symbol, bin
WINDOW feed AS (PARTITION BY exchange, symbol)
ORDER BY exchange, symbol, bin
