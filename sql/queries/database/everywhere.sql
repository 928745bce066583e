-- On a cluster: the statements by which views reach over all shards, in their order. Of each stored table one over its
-- parts on all nodes, which holds nothing and is made again so that it has the columns that the last migration gave; then
-- each view that reads stored tables, over these instead. '{cluster}' is the macro of that name in the servers'
-- configuration; it must be MDPLATFORM_CLUSTER.
-- Each node reads its share of the topics (one consumer group), so a row lies on the shard whose node read it; replicas
-- share it. A symbol is on one partition, hence on one shard, until partitions are dealt out again.
-- Hours (md_spread_hourly and the like) are built and replaced where CLICKHOUSE_URL points: always at one shard's nodes.
SELECT name, statement
FROM
(
    SELECT
        0 AS place, replaceRegexpOne(stored.name, '_store$', '_everywhere') AS name,
        concat(
            'CREATE OR REPLACE TABLE `', name, '` ', {on_cluster:String}, ' AS `', stored.name, '` ENGINE = Distributed(\'{cluster}\', \'',
            currentDatabase(), '\', \'', stored.name, '\')') AS statement
    FROM system.tables AS stored
    WHERE stored.database = currentDatabase() AND endsWith(stored.name, '_store')
    UNION ALL
    SELECT
        1 AS place, views.name AS name,
        concat(
            'CREATE OR REPLACE VIEW `', name, '` ', {on_cluster:String}, ' ', columns.stated, 'AS ',
            replaceRegexpAll(views.as_select, '\\b(md_\\w+)_store\\b', '\\1_everywhere')) AS statement
    FROM (SELECT name, as_select FROM system.tables WHERE database = currentDatabase() AND engine = 'View') AS views
    LEFT JOIN ({{include view_columns database=currentDatabase()}}) AS columns ON views.name = columns.table
    WHERE NOT endsWith(views.name, '_everywhere') AND match(views.as_select, '\\bmd_\\w+_(store|everywhere)\\b')
)
ORDER BY place, name
