-- Kafka table -> one view -> Null table -> the views that store. Only one view hangs on the Kafka table, and it comes
-- last: a table without a view does not read, so nothing is read before every view is there.
-- The Kafka table goes first: what it read while a view is missing would be lost to that view.
DROP TABLE IF EXISTS md_feed_status_stream_kafka {{cluster}};
DROP TABLE IF EXISTS md_feed_status_stream_kafka_view {{cluster}};
DROP TABLE IF EXISTS md_feed_status_stream_status {{cluster}};
DROP TABLE IF EXISTS md_feed_status_stream_refused {{cluster}};
DROP TABLE IF EXISTS md_feed_status_stream {{cluster}};

CREATE TABLE md_feed_status_stream {{cluster}}
(
    exchange          String                      COMMENT 'venue id',
    symbol            String                      COMMENT 'canonical symbol',
    channel           String                      COMMENT 'book, trades, ...',
    state             String                      COMMENT 'valid, gap, resync, stale, down',
    cause             String                      COMMENT 'why',
    started_ns        UInt64                      COMMENT 'begin, ns',
    ended_ns          Nullable(UInt64)            COMMENT 'known to hold until, ns',
    first_sequence    Nullable(UInt64)            COMMENT 'first update id',
    last_sequence     Nullable(UInt64)            COMMENT 'last update id',
    missed            Nullable(UInt64)            COMMENT 'updates missing',
    collector         String                      COMMENT 'A, B ...',
    _topic            LowCardinality(String)      COMMENT 'Kafka topic',
    _partition        UInt32                      COMMENT 'Kafka partition',
    _offset           UInt64                      COMMENT 'Kafka offset',
    logged_ms         Int64                       COMMENT 'when the message reached the broker, ms',
    parse_error       String                      COMMENT 'why it could not be parsed; empty when it could',
    raw_message       String                      COMMENT 'what could not be parsed',
    sound             UInt8                       COMMENT '1 when the message says what it must'
)
ENGINE = Null;

CREATE MATERIALIZED VIEW md_feed_status_stream_status {{cluster}} TO md_feed_status_store AS
SELECT
    exchange, symbol, channel, state, cause,
    fromUnixTimestamp64Nano(toInt64(started_ns), 'UTC') AS started_at,
    fromUnixTimestamp64Nano(toInt64(ended_ns), 'UTC') AS ended_at,
    first_sequence, last_sequence, missed, collector, started_ns, ended_ns,
    _topic, _partition, _offset
FROM md_feed_status_stream AS stream
WHERE sound;

CREATE MATERIALIZED VIEW md_feed_status_stream_refused {{cluster}} TO md_dead_letter_store AS
SELECT
    exchange,
    if(parse_error != '', 'unreadable_message', 'incomplete_message') AS reason,
    if(parse_error != '', trimRight(parse_error, '\n'), 'a field is missing or has an impossible value') AS error,
    if(parse_error != '', raw_message, message) AS frame,
    fromUnixTimestamp64Milli(logged_ms, 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(logged_ms * 1000000, 'UTC') AS received_at,
    _topic, _partition, _offset
FROM
(
    SELECT *, formatRowNoNewline('JSONEachRow', exchange, symbol, channel, state, cause, started_ns, ended_ns, first_sequence, last_sequence, missed, collector) AS message
    FROM md_feed_status_stream
    WHERE NOT sound
);

CREATE TABLE md_feed_status_stream_kafka {{cluster}}
(
    exchange          String                      COMMENT 'venue id',
    symbol            String                      COMMENT 'canonical symbol',
    channel           String                      COMMENT 'book, trades, ...',
    state             String                      COMMENT 'valid, gap, resync, stale, down',
    cause             String                      COMMENT 'why',
    started_ns        UInt64                      COMMENT 'begin, ns',
    ended_ns          Nullable(UInt64)            COMMENT 'known to hold until, ns',
    first_sequence    Nullable(UInt64)            COMMENT 'first update id',
    last_sequence     Nullable(UInt64)            COMMENT 'last update id',
    missed            Nullable(UInt64)            COMMENT 'updates missing',
    collector         String                      COMMENT 'A, B ...'
)
ENGINE = Kafka
SETTINGS
    kafka_broker_list = '{{brokers}}',
    kafka_topic_list = '{{topics_status}}',
    kafka_group_name = '{{group}}.md_feed_status_stream_kafka',
    kafka_format = 'JSONEachRow',
    kafka_num_consumers = 1,
    kafka_thread_per_consumer = 1,
    kafka_max_block_size = 65536,
    kafka_flush_interval_ms = 500,
    kafka_poll_timeout_ms = 100,
    kafka_handle_error_mode = 'stream';

CREATE MATERIALIZED VIEW md_feed_status_stream_kafka_view {{cluster}} TO md_feed_status_stream AS
SELECT
    exchange, symbol, channel, state, cause, started_ns, ended_ns, first_sequence, last_sequence, missed, collector,
    _topic, toUInt32(_partition) AS _partition, _offset,
    ifNull(toUnixTimestamp64Milli(_timestamp_ms), 0) AS logged_ms,
    _error AS parse_error, _raw_message AS raw_message,
    _error = '' AND exchange != '' AND symbol != '' AND channel != '' AND state IN ('valid', 'gap', 'resync', 'stale', 'down')
        AND started_ns BETWEEN 1230940800000000000 AND 4102444800000000000
        AS sound
FROM md_feed_status_stream_kafka;
