-- Seconds since the holder of the lock last showed a sign of life; the table's own time counts until its first beat.
SELECT toUnixTimestamp(now()) - toUnixTimestamp(greatest(any(metadata_modification_time), (SELECT max(at) FROM _migrating))) AS seconds
FROM system.tables
WHERE database = currentDatabase() AND name = '_migrating'
