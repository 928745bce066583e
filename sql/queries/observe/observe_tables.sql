-- What each stored table holds: rows (duplicates not yet merged count), the newest time and bytes on disk.
SELECT
    replaceRegexpOne(table, '_store$', '') AS name, sum(rows) AS rows, max(max_time) AS newest_partition_time,
    sum(bytes_on_disk) AS bytes, max(modification_time) AS written_at
FROM system.parts
WHERE database = currentDatabase() AND active AND endsWith(table, '_store')
GROUP BY table
ORDER BY name
