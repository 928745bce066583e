-- The names of all tables and views, of what people read and of what the platform works with.
SELECT name
FROM system.tables
WHERE database IN (currentDatabase(), {{include readers_database}})
ORDER BY name
