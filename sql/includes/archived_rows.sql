FROM {{table}} AS rows
WHERE rows.timestamp >= {hour:DateTime('UTC')} AND rows.timestamp < {hour:DateTime('UTC')} + INTERVAL 1 HOUR
