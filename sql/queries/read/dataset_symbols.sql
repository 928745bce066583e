-- The symbols of a venue that have rows in a table, of this range.
SELECT DISTINCT toString(rows.symbol) AS symbol
FROM {table:Identifier} AS rows
WHERE rows.exchange = {exchange:String}
    AND rows.timestamp >= {start:DateTime64(9, 'UTC')} AND rows.timestamp < {end:DateTime64(9, 'UTC')}
ORDER BY symbol
