-- Each Kafka table's consumer: what it should read and what it is assigned, how far it read and its lag by librdkafka's own statistics.
SELECT
    table, assignments.topic AS topics, assignments.partition_id AS partitions, assignments.current_offset AS offsets,
    num_messages_read AS messages, num_commits AS commits, last_poll_time, last_commit_time,
    exceptions.time AS error_times, exceptions.text AS errors,
    arrayMap(
        topic -> arraySum(arrayMap(
            p -> greatest(if(p.1 = '-1', 0, JSONExtractInt(p.2, 'consumer_lag')), 0),
            JSONExtractKeysAndValuesRaw(rdkafka_stat, 'topics', topic, 'partitions'))),
        arrayDistinct(assignments.topic)
    ) AS lags,
    splitByRegexp(', *', extract(engine_full, 'kafka_topic_list = \'([^\']*)\'')) AS subscribed
FROM system.kafka_consumers AS consumers
LEFT JOIN system.tables AS tables ON consumers.database = tables.database AND consumers.table = tables.name
WHERE consumers.database IN (currentDatabase(), {{include readers_database}})
ORDER BY table
