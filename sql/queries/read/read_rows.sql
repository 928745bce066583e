-- Rows of a table for people's frames: of these venues and symbols (none named: all), of this range.
SELECT *
FROM {table:Identifier} AS rows
WHERE (empty({exchanges:Array(String)}) OR rows.exchange IN {exchanges:Array(String)})
    AND (empty({symbols:Array(String)}) OR rows.symbol IN {symbols:Array(String)})
    AND rows.timestamp >= {start:DateTime64(9, 'UTC')} AND rows.timestamp < {end:DateTime64(9, 'UTC')}
