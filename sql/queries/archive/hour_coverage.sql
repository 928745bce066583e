-- For which share of the hour the book of each symbol was proven valid.
SELECT toString(exchange) AS exchange, toString(symbol) AS symbol, coverage
FROM md_spread_hourly
WHERE hour = {hour:DateTime('UTC')}
ORDER BY exchange, symbol
