SELECT count() AS rows
FROM md_spread_hourly
WHERE hour = {hour:DateTime('UTC')}
