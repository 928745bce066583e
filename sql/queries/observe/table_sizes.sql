-- What each stored table takes on disk, and by how much it grows in a day: what is of the last two days, by the time it spans.
SELECT
    replaceRegexpOne(table, '_store$', '') AS name, sum(rows) AS rows, sum(bytes_on_disk) AS bytes,
    sumIf(bytes_on_disk, max_time > now() - INTERVAL 2 DAY) AS recent_bytes,
    greatest(3600, dateDiff('second',
        minIf(min_time, max_time > now() - INTERVAL 2 DAY), maxIf(max_time, max_time > now() - INTERVAL 2 DAY))) AS recent_seconds,
    toInt64(recent_bytes / recent_seconds * 86400) AS bytes_a_day
FROM system.parts
WHERE database = currentDatabase() AND active AND startsWith(table, 'md_')
GROUP BY table
ORDER BY bytes DESC
