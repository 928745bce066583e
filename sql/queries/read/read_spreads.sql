-- The same of md_spread_hourly, as export_spreads gives its rows.
SELECT
    toString(exchange) AS exchange, toString(symbol) AS symbol, toDateTime64(hour, 3, 'UTC') AS timestamp,
    * EXCEPT (exchange, symbol, hour, timestamp, inserted_at)
FROM md_spread_hourly AS hours
WHERE (empty({exchanges:Array(String)}) OR hours.exchange IN {exchanges:Array(String)})
    AND (empty({symbols:Array(String)}) OR hours.symbol IN {symbols:Array(String)})
    AND hour >= {start:DateTime64(9, 'UTC')} AND hour < {end:DateTime64(9, 'UTC')}
