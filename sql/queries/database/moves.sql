-- Of a warehouse from the time when one database held everything: the statements that leave the readers' one to what
-- people read, in their order. Kafka tables go first, then what carries messages; a migration makes them again, and
-- their consumer groups keep their offsets. What holds rows is renamed, so nothing is copied; the ledger goes last, so
-- that a move that was cut short goes on.
WITH {{include readers_database}} AS readers
SELECT
    name,
    if(
        engine IN ('Kafka', 'MaterializedView', 'Null', 'Distributed'),
        concat('DROP TABLE IF EXISTS `', readers, '`.`', name, '` ', {on_cluster:String}),
        concat('RENAME TABLE `', readers, '`.`', name, '` TO `', currentDatabase(), '`.`', name, '` ', {on_cluster:String})
    ) AS statement
FROM system.tables
WHERE database = readers AND (startsWith(name, 'md_') OR name IN ('_migrations', '_retired', '_costs', '_corrections'))
    AND (SELECT count() FROM system.tables WHERE database = readers AND name = '_migrations') > 0
ORDER BY multiIf(engine = 'Kafka', 0, engine IN ('MaterializedView', 'Null', 'Distributed'), 1, name = '_migrations', 3, 2), name
