-- From which messages, received when, the rows of an hour came, by topic.
SELECT
    toString(_topic) AS topic, toInt64(uniqExact(_partition)) AS partitions,
    toInt64(min(_offset)) AS first_offset, toInt64(max(_offset)) AS last_offset, toInt64(count()) AS rows,
    min(timestamp) AS first_time, max(timestamp) AS last_time, max(received_at) AS last_received_at
FROM {table:Identifier}
WHERE timestamp >= {hour:DateTime('UTC')} AND timestamp < toDateTime64({hour:DateTime('UTC')}, 3, 'UTC') + INTERVAL 1 HOUR
GROUP BY topic
ORDER BY topic
