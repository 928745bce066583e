-- The partitions of a stored table: how much they hold, and of which times.
SELECT
    partition_id AS partition, sum(rows) AS rows, sum(bytes_on_disk) AS bytes,
    toStartOfHour(toDateTime(min(min_time), 'UTC')) AS first_hour, toStartOfHour(toDateTime(max(max_time), 'UTC')) AS last_hour
FROM system.parts
WHERE database = currentDatabase() AND table = {table:String} AND active
GROUP BY partition_id
ORDER BY partition_id
