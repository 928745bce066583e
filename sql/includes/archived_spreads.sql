FROM (SELECT * EXCEPT (hour, timestamp), toDateTime64(every.hour, 3, 'UTC') AS timestamp FROM md_spread_hourly AS every WHERE every.hour = {hour:DateTime('UTC')}) AS rows
WHERE true
