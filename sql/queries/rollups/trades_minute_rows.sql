SELECT count() AS rows
FROM md_trades_minute
WHERE minute >= {hour:DateTime('UTC')} AND minute < {hour:DateTime('UTC')} + INTERVAL 1 HOUR
