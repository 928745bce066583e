-- An hour of md_trades_minute is in place: md_bars takes it from there until later trades are stored.
INSERT INTO md_trades_hours_store (hour, built_at)
SELECT toStartOfHour(minute, 'UTC') AS hour, min(inserted_at)
FROM md_trades_minute
WHERE minute >= {hour:DateTime('UTC')} AND minute < toDateTime64({hour:DateTime('UTC')}, 3, 'UTC') + INTERVAL 1 HOUR
GROUP BY hour
