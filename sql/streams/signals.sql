-- Kafka table -> one view -> Null table -> the views that store. Only one view hangs on the Kafka table, and it comes
-- last: a table without a view does not read, so nothing is read before every view is there.
-- The Kafka table goes first: what it read while a view is missing would be lost to that view.
DROP TABLE IF EXISTS md_signals_stream_kafka {{cluster}};
DROP TABLE IF EXISTS md_signals_stream_kafka_view {{cluster}};
DROP TABLE IF EXISTS md_signals_stream_signals {{cluster}};
DROP TABLE IF EXISTS md_signals_stream_refused {{cluster}};
DROP TABLE IF EXISTS md_signals_stream {{cluster}};

CREATE TABLE md_signals_stream {{cluster}}
(
    message           String                      COMMENT 'the whole message',
    exchange          String                      COMMENT 'venue id',
    symbol            String                      COMMENT 'canonical symbol',
    signal            String                      COMMENT 'name',
    ts                Int64                       COMMENT 'venue time, ms',
    _topic            LowCardinality(String)      COMMENT 'Kafka topic',
    _partition        UInt32                      COMMENT 'Kafka partition',
    _offset           UInt64                      COMMENT 'Kafka offset',
    logged_ms         Int64                       COMMENT 'when the message reached the broker, ms',
    parse_error       String                      COMMENT 'why it could not be parsed; empty when it could',
    raw_message       String                      COMMENT 'what could not be parsed',
    sound             UInt8                       COMMENT '1 when the message says what it must'
)
ENGINE = Null;

CREATE MATERIALIZED VIEW md_signals_stream_signals {{cluster}} TO md_signals_store AS
SELECT
    exchange, symbol, signal,
    JSONExtractString(message, 'id') AS id,
    JSONExtract(message, 'exchanges', 'Array(LowCardinality(String))') AS exchanges,
    JSONExtractString(message, 'direction') AS direction,
    JSONExtract(message, 'value', 'Nullable(Float64)') AS value,
    JSONExtract(message, 'threshold', 'Nullable(Float64)') AS threshold,
    JSONExtractString(message, 'unit') AS unit,
    JSONExtractRaw(message, 'evidence') AS evidence,
    fromUnixTimestamp64Milli(ts, 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(JSONExtract(message, 'received_ns', 'Nullable(Int64)'), 'UTC') AS received_at,
    fromUnixTimestamp64Nano(JSONExtract(message, 'found_ns', 'Nullable(Int64)'), 'UTC') AS found_at,
    JSONExtract(message, 'latency_venue_ms', 'Nullable(Float64)') AS latency_venue_ms,
    JSONExtract(message, 'latency_received_ms', 'Nullable(Float64)') AS latency_received_ms,
    message,
    _topic, _partition, _offset
FROM md_signals_stream AS stream
WHERE sound;

CREATE MATERIALIZED VIEW md_signals_stream_refused {{cluster}} TO md_dead_letter_store AS
SELECT
    exchange,
    if(parse_error != '', 'unreadable_message', 'incomplete_message') AS reason,
    if(parse_error != '', trimRight(parse_error, '\n'), 'a field is missing or has an impossible value') AS error,
    if(parse_error != '', raw_message, message) AS frame,
    fromUnixTimestamp64Milli(logged_ms, 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(logged_ms * 1000000, 'UTC') AS received_at,
    _topic, _partition, _offset
FROM md_signals_stream AS stream
WHERE NOT sound;

CREATE TABLE md_signals_stream_kafka {{cluster}}
(
    message           String                      COMMENT 'the whole message'
)
ENGINE = Kafka
SETTINGS
    kafka_broker_list = '{{brokers}}',
    kafka_topic_list = '{{topics_signals}}',
    kafka_group_name = '{{group}}.md_signals_stream_kafka',
    kafka_format = 'JSONAsString',
    kafka_num_consumers = 1,
    kafka_thread_per_consumer = 1,
    kafka_max_block_size = 65536,
    kafka_flush_interval_ms = 500,
    kafka_poll_timeout_ms = 100,
    kafka_handle_error_mode = 'stream';

CREATE MATERIALIZED VIEW md_signals_stream_kafka_view {{cluster}} TO md_signals_stream AS
SELECT
    message,
    JSONExtractString(message, 'exchange') AS exchange,
    JSONExtractString(message, 'symbol') AS symbol,
    JSONExtractString(message, 'kind') AS signal,
    JSONExtractInt(message, 'ts') AS ts,
    _topic, toUInt32(_partition) AS _partition, _offset,
    ifNull(toUnixTimestamp64Milli(_timestamp_ms), 0) AS logged_ms,
    _error AS parse_error, _raw_message AS raw_message,
    _error = '' AND signal != '' AND ts BETWEEN 1230940800000 AND 4102444800000 -- 2009 to 2100: a time in another unit shows here
        AS sound
FROM md_signals_stream_kafka;
