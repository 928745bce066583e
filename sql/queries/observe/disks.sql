-- The room on ClickHouse's disks, in bytes.
SELECT name, path, toInt64(free_space) AS free_bytes, toInt64(total_space) AS total_bytes FROM system.disks ORDER BY name
