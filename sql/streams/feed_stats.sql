-- Kafka table -> one view -> Null table -> the views that store. Only one view hangs on the Kafka table, and it comes
-- last: a table without a view does not read, so nothing is read before every view is there.
-- The Kafka table goes first: what it read while a view is missing would be lost to that view.
DROP TABLE IF EXISTS md_feed_stats_stream_kafka {{cluster}};
DROP TABLE IF EXISTS md_feed_stats_stream_kafka_view {{cluster}};
DROP TABLE IF EXISTS md_feed_stats_stream_stats {{cluster}};
DROP TABLE IF EXISTS md_feed_stats_stream_refused {{cluster}};
DROP TABLE IF EXISTS md_feed_stats_stream {{cluster}};

CREATE TABLE md_feed_stats_stream {{cluster}}
(
    exchange          String                      COMMENT 'venue id',
    conn              String                      COMMENT 'connection',
    ts                Int64                       COMMENT 'collector time, ms',
    symbols           UInt32                      COMMENT 'counter',
    frames            UInt64                      COMMENT 'counter',
    bytes             UInt64                      COMMENT 'counter',
    events            UInt64                      COMMENT 'counter',
    reconnects        UInt64                      COMMENT 'counter',
    renewals          UInt64                      COMMENT 'counter',
    gaps              UInt64                      COMMENT 'counter',
    dead_letters      UInt64                      COMMENT 'counter',
    published         UInt64                      COMMENT 'counter',
    failed            UInt64                      COMMENT 'counter',
    queue             UInt64                      COMMENT 'waiting',
    paused_ms         UInt64                      COMMENT 'counter',
    latency_p50_ms    Nullable(Float64)           COMMENT 'ms',
    latency_p99_ms    Nullable(Float64)           COMMENT 'ms',
    venue_lag_ms      Nullable(Float64)           COMMENT 'ms',
    _topic            LowCardinality(String)      COMMENT 'Kafka topic',
    _partition        UInt32                      COMMENT 'Kafka partition',
    _offset           UInt64                      COMMENT 'Kafka offset',
    logged_ms         Int64                       COMMENT 'when the message reached the broker, ms',
    parse_error       String                      COMMENT 'why it could not be parsed; empty when it could',
    raw_message       String                      COMMENT 'what could not be parsed',
    sound             UInt8                       COMMENT '1 when the message says what it must'
)
ENGINE = Null;

CREATE MATERIALIZED VIEW md_feed_stats_stream_stats {{cluster}} TO md_feed_stats_store AS
SELECT
    exchange, conn, fromUnixTimestamp64Milli(ts, 'UTC') AS timestamp,
    symbols, frames, bytes, events, reconnects, renewals, gaps, dead_letters,
    published, failed, queue, paused_ms, latency_p50_ms, latency_p99_ms, venue_lag_ms,
    _topic, _partition, _offset
FROM md_feed_stats_stream AS stream
WHERE sound;

CREATE MATERIALIZED VIEW md_feed_stats_stream_refused {{cluster}} TO md_dead_letter_store AS
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
    SELECT *, formatRowNoNewline('JSONEachRow', exchange, conn, ts, symbols, frames, bytes, events, reconnects, renewals, gaps, dead_letters, published, failed, queue, paused_ms, latency_p50_ms, latency_p99_ms, venue_lag_ms) AS message
    FROM md_feed_stats_stream
    WHERE NOT sound
);

CREATE TABLE md_feed_stats_stream_kafka {{cluster}}
(
    exchange          String                      COMMENT 'venue id',
    conn              String                      COMMENT 'connection',
    ts                Int64                       COMMENT 'collector time, ms',
    symbols           UInt32                      COMMENT 'counter',
    frames            UInt64                      COMMENT 'counter',
    bytes             UInt64                      COMMENT 'counter',
    events            UInt64                      COMMENT 'counter',
    reconnects        UInt64                      COMMENT 'counter',
    renewals          UInt64                      COMMENT 'counter',
    gaps              UInt64                      COMMENT 'counter',
    dead_letters      UInt64                      COMMENT 'counter',
    published         UInt64                      COMMENT 'counter',
    failed            UInt64                      COMMENT 'counter',
    queue             UInt64                      COMMENT 'waiting',
    paused_ms         UInt64                      COMMENT 'counter',
    latency_p50_ms    Nullable(Float64)           COMMENT 'ms',
    latency_p99_ms    Nullable(Float64)           COMMENT 'ms',
    venue_lag_ms      Nullable(Float64)           COMMENT 'ms'
)
ENGINE = Kafka
SETTINGS
    kafka_broker_list = '{{brokers}}',
    kafka_topic_list = '{{topics_stats}}',
    kafka_group_name = '{{group}}.md_feed_stats_stream_kafka',
    kafka_format = 'JSONEachRow',
    kafka_num_consumers = 1,
    kafka_thread_per_consumer = 1,
    kafka_max_block_size = 65536,
    kafka_flush_interval_ms = 500,
    kafka_poll_timeout_ms = 100,
    kafka_handle_error_mode = 'stream';

CREATE MATERIALIZED VIEW md_feed_stats_stream_kafka_view {{cluster}} TO md_feed_stats_stream AS
SELECT
    exchange, conn, ts, symbols, frames, bytes, events, reconnects, renewals, gaps, dead_letters, published, failed, queue, paused_ms, latency_p50_ms, latency_p99_ms, venue_lag_ms,
    _topic, toUInt32(_partition) AS _partition, _offset,
    ifNull(toUnixTimestamp64Milli(_timestamp_ms), 0) AS logged_ms,
    _error AS parse_error, _raw_message AS raw_message,
    _error = '' AND exchange != '' AND conn != '' AND ts BETWEEN 1230940800000 AND 4102444800000 -- 2009 to 2100: a time in another unit shows here
        AS sound
FROM md_feed_stats_stream_kafka;
