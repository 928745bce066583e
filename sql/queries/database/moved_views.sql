-- Views that were moved and still say where their tables were: the statements that make each again over those of here.
WITH
    {{include readers_database}} AS readers,
    concat('`?\\b', regexpQuoteMeta(readers), '\\b`?\\.`?((?:md)?_\\w+)`?') AS named
SELECT
    views.name AS name,
    concat('CREATE OR REPLACE VIEW `', name, '` ', {on_cluster:String}, ' ', columns.stated, 'AS ', replaceRegexpAll(as_select, named, '\\1')) AS statement
FROM (SELECT name, as_select FROM system.tables WHERE database = currentDatabase() AND engine = 'View') AS views
LEFT JOIN ({{include view_columns database=currentDatabase()}}) AS columns ON views.name = columns.table
WHERE match(as_select, named)
ORDER BY name
