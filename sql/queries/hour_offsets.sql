-- The messages from which the rows of a venue's hour came.
SELECT
    toString(_topic) AS topic, toInt64(_partition) AS partition, toInt64(min(_offset)) AS first_offset,
    toInt64(max(_offset)) AS last_offset, toInt64(count()) AS rows
FROM {table:Identifier}
WHERE exchange = {exchange:String}
    AND timestamp >= {hour:DateTime('UTC')} AND timestamp < {hour:DateTime('UTC')} + INTERVAL 1 HOUR
GROUP BY topic, partition
ORDER BY topic, partition
