FROM {{table}} AS rows
WHERE rows.timestamp >= {hour:DateTime('UTC')} AND rows.timestamp < toDateTime64({hour:DateTime('UTC')}, 3, 'UTC') + INTERVAL 1 HOUR
