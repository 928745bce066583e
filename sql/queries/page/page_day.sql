-- The last day of every feed for the live page: first and last price, extremes, volume in base units, and since when trades are
-- known. By minutes: hours that are built come from md_trades_minute.
SELECT
    toString(exchange) AS exchange, toString(symbol) AS symbol, toInt64(toUnixTimestamp(min(bar))) * 1000 AS from_ms,
    argMin(open, bar) AS open, argMax(close, bar) AS last, max(high) AS high, min(low) AS low, sum(volume) AS volume
FROM md_bars(seconds = 60)
WHERE bar >= fromUnixTimestamp({since_s:Int64})
GROUP BY exchange, symbol
ORDER BY exchange, symbol
LIMIT 1000
SETTINGS max_execution_time = 20
