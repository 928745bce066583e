-- Every table and view as the engine states it, those that hold data first; a Kafka table may lie with what people read.
SELECT name, formatQuery(create_table_query) AS sql
FROM system.tables
WHERE (database = currentDatabase() OR (database = {{include readers_database}} AND engine = 'Kafka')) AND name != '_migrating' AND NOT startsWith(name, '.inner')
ORDER BY multiIf(endsWith(engine, 'MergeTree'), 0, engine = 'View', 1, 2), name
