-- Every table and view of the database as the engine states it, those that hold data first.
SELECT name, formatQuery(create_table_query) AS sql
FROM system.tables
WHERE database = currentDatabase() AND name != '_migrating' AND NOT startsWith(name, '.inner')
ORDER BY multiIf(endsWith(engine, 'MergeTree'), 0, engine = 'View', 1, 2), name
