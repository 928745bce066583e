-- The hours that were built last, newest first, for the live page: when, and what each cost.
SELECT
    toInt64(toUnixTimestamp(hour)) * 1000 AS hour_ms, toUnixTimestamp64Milli(max(inserted_at)) AS built_ms,
    sum(seconds) AS seconds, sum(rows) AS rows
FROM _costs FINAL
GROUP BY hour
ORDER BY hour DESC
LIMIT 6
SETTINGS max_execution_time = 20
