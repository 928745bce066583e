-- Every table and view with its columns; a view's column that has no comment has that of the table behind it.
SELECT
    tables.name AS table, tables.engine AS engine, columns.name AS name, columns.type AS type,
    if(columns.comment = '', stored.comment, columns.comment) AS comment
FROM system.columns AS columns
INNER JOIN system.tables AS tables ON tables.database = columns.database AND tables.name = columns.table
LEFT JOIN system.columns AS stored
    ON stored.database = columns.database AND stored.table = concat(columns.table, '_store') AND stored.name = columns.name
WHERE (columns.database = currentDatabase() OR (columns.database = {{include readers_database}} AND tables.engine = 'Kafka'))
    AND tables.name != '_migrating'
ORDER BY tables.name, columns.position
