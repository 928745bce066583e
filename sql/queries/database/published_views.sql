-- What people read: each plain view of the database that the platform works in, as it is, under the same name in the
-- readers' database; each column says its meaning there (a view's own comment, else that of the stored column of its
-- name). A row is a view that is not there yet, or not so, and the statement that makes it.
WITH {{include readers_database}} AS readers
SELECT
    ours.name AS name,
    concat('CREATE OR REPLACE VIEW `', readers, '`.`', ours.name, '` ', {on_cluster:String}, ' ', columns.stated, 'AS ', ours.as_select) AS statement
FROM (SELECT name, as_select FROM system.tables WHERE database = currentDatabase() AND engine = 'View') AS ours
LEFT JOIN ({{include view_columns database=currentDatabase()}}) AS columns ON ours.name = columns.table
LEFT JOIN (SELECT name, as_select FROM system.tables WHERE database = readers) AS there ON ours.name = there.name
LEFT JOIN ({{include view_columns database=readers}}) AS shown ON ours.name = shown.table
WHERE ours.as_select != there.as_select OR columns.stated != shown.stated
ORDER BY name
