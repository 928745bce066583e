SELECT count() AS rows
FROM md_trades_minute
WHERE minute >= {hour:DateTime('UTC')} AND minute < toDateTime64({hour:DateTime('UTC')}, 3, 'UTC') + INTERVAL 1 HOUR
