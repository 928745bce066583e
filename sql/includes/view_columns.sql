SELECT table, concat('(', arrayStringConcat(arrayMap(each -> each.2, arraySort(groupArray((position, stated_one)))), ', '), ') ') AS stated
    FROM
    (
        SELECT
            columns.table AS table, columns.position AS position,
            if(columns.comment = '', stored.comment, columns.comment) AS meaning,
            concat('`', columns.name, '` ', columns.type, if(
                meaning = '', '',
                concat(' COMMENT \'', replaceAll(replaceAll(meaning, '\\', '\\\\'), '\'', '\\\''), '\''))) AS stated_one
        FROM system.columns AS columns
        LEFT JOIN system.columns AS stored
            ON stored.database = columns.database AND stored.table = concat(columns.table, '_store') AND stored.name = columns.name
        WHERE columns.database = {{database}}
    )
    GROUP BY table
