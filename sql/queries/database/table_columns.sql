-- Columns of a table or view with their types; a view's comments are those of the table behind it.
SELECT columns.name AS name, columns.type AS type, stored.comment AS comment
FROM system.columns AS columns
LEFT JOIN system.columns AS stored
    ON stored.database = columns.database AND stored.table = concat(columns.table, '_store') AND stored.name = columns.name
WHERE columns.database = currentDatabase() AND columns.table = {table:String}
ORDER BY columns.position
