-- Kafka table -> one view -> Null table -> the views that store. Only one view hangs on the Kafka table, and it comes
-- last: a table without a view does not read, so nothing is read before every view is there.
-- The Kafka table goes first: what it read while a view is missing would be lost to that view.
DROP TABLE IF EXISTS md_dead_letter_stream_kafka {{cluster}};
DROP TABLE IF EXISTS md_dead_letter_stream_kafka_view {{cluster}};
DROP TABLE IF EXISTS md_dead_letter_stream_frames {{cluster}};
DROP TABLE IF EXISTS md_dead_letter_stream_refused {{cluster}};
DROP TABLE IF EXISTS md_dead_letter_stream {{cluster}};

CREATE TABLE md_dead_letter_stream {{cluster}}
(
    exchange          String                      COMMENT 'venue id',
    reason            String                      COMMENT 'short word',
    error             String                      COMMENT 'what was wrong',
    frame             String                      COMMENT 'verbatim',
    encoding          String                      COMMENT 'base64 or empty',
    conn              String                      COMMENT 'connection',
    received_ns       Int64                       COMMENT 'receive time, ns',
    _topic            LowCardinality(String)      COMMENT 'Kafka topic',
    _partition        UInt32                      COMMENT 'Kafka partition',
    _offset           UInt64                      COMMENT 'Kafka offset',
    logged_ms         Int64                       COMMENT 'when the message reached the broker, ms',
    parse_error       String                      COMMENT 'why it could not be parsed; empty when it could',
    raw_message       String                      COMMENT 'what could not be parsed',
    sound             UInt8                       COMMENT '1 when the message says what it must'
)
ENGINE = Null;

CREATE MATERIALIZED VIEW md_dead_letter_stream_frames {{cluster}} TO md_dead_letter_store AS
SELECT
    exchange, reason, error, frame, encoding, conn,
    fromUnixTimestamp64Milli(intDiv(received_ns, 1000000), 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(received_ns, 'UTC') AS received_at,
    _topic, _partition, _offset
FROM md_dead_letter_stream AS stream
WHERE sound;

CREATE MATERIALIZED VIEW md_dead_letter_stream_refused {{cluster}} TO md_dead_letter_store AS
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
    SELECT *, formatRowNoNewline('JSONEachRow', exchange, reason, error, frame, encoding, conn, received_ns) AS message
    FROM md_dead_letter_stream
    WHERE NOT sound
);

CREATE TABLE md_dead_letter_stream_kafka {{cluster}}
(
    exchange          String                      COMMENT 'venue id',
    reason            String                      COMMENT 'short word',
    error             String                      COMMENT 'what was wrong',
    frame             String                      COMMENT 'verbatim',
    encoding          String                      COMMENT 'base64 or empty',
    conn              String                      COMMENT 'connection',
    received_ns       Int64                       COMMENT 'receive time, ns'
)
ENGINE = Kafka
SETTINGS
    kafka_broker_list = '{{brokers}}',
    kafka_topic_list = '{{topics_dead_letters}}',
    kafka_group_name = '{{group}}.md_dead_letter_stream_kafka',
    kafka_format = 'JSONEachRow',
    kafka_num_consumers = 1,
    kafka_thread_per_consumer = 1,
    kafka_max_block_size = 65536,
    kafka_flush_interval_ms = 500,
    kafka_poll_timeout_ms = 100,
    kafka_handle_error_mode = 'stream';

CREATE MATERIALIZED VIEW md_dead_letter_stream_kafka_view {{cluster}} TO md_dead_letter_stream AS
SELECT
    exchange, reason, error, frame, encoding, conn,
    if(received_ns > 0, received_ns, logged_ms * 1000000) AS received_ns,
    _topic, toUInt32(_partition) AS _partition, _offset,
    ifNull(toUnixTimestamp64Milli(_timestamp_ms), 0) AS logged_ms,
    _error AS parse_error, _raw_message AS raw_message,
    _error = '' AND reason != '' AS sound
FROM md_dead_letter_stream_kafka;
