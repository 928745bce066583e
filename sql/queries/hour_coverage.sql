-- For which share of the hour the book of each of a venue's symbols was proven valid.
SELECT toString(symbol) AS symbol, coverage
FROM md_spread_hourly
WHERE hour = {hour:DateTime('UTC')} AND exchange = {exchange:String}
ORDER BY symbol
