-- Kafka table -> one view -> Null table -> the views that store. Only one view hangs on the Kafka table, and it comes
-- last: a table without a view does not read, so nothing is read before every view is there.
-- The Kafka table goes first: what it read while a view is missing would be lost to that view.
DROP TABLE IF EXISTS md_funding_stream_kafka {{cluster}};
DROP TABLE IF EXISTS md_funding_stream_kafka_view {{cluster}};
DROP TABLE IF EXISTS md_funding_stream_funding {{cluster}};
DROP TABLE IF EXISTS md_funding_stream_refused {{cluster}};
DROP TABLE IF EXISTS md_funding_stream {{cluster}};

CREATE TABLE md_funding_stream {{cluster}}
(
    exchange          String                      COMMENT 'venue id',
    symbol            String                      COMMENT 'canonical symbol',
    rate              Nullable(Float64)           COMMENT 'fraction per interval',
    mark_price        Nullable(Float64)           COMMENT 'quote units',
    index_price       Nullable(Float64)           COMMENT 'quote units',
    next_funding_ts   Nullable(Int64)             COMMENT 'next payment, ms',
    ts                Int64                       COMMENT 'venue time, ms',
    venue_ns          Int64                       COMMENT 'venue time, ns',
    received_ns       Int64                       COMMENT 'receive time, ns',
    _topic            LowCardinality(String)      COMMENT 'Kafka topic',
    _partition        UInt32                      COMMENT 'Kafka partition',
    _offset           UInt64                      COMMENT 'Kafka offset',
    logged_ms         Int64                       COMMENT 'when the message reached the broker, ms',
    message           String                      COMMENT 'the whole message',
    sound             UInt8                       COMMENT '1 when the message says what it must'
)
ENGINE = Null;

CREATE MATERIALIZED VIEW md_funding_stream_funding {{cluster}} TO md_funding_store AS
SELECT
    exchange, symbol, rate, mark_price, index_price,
    fromUnixTimestamp64Milli(next_funding_ts, 'UTC') AS next_funding_at,
    fromUnixTimestamp64Milli(ts, 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(venue_ns, 'UTC') AS venue_time,
    fromUnixTimestamp64Nano(received_ns, 'UTC') AS received_at,
    _topic, _partition, _offset
FROM md_funding_stream AS stream
WHERE sound;

CREATE MATERIALIZED VIEW md_funding_stream_refused {{cluster}} TO md_dead_letter_store AS
SELECT
    exchange,
    if(isValidJSON(message), 'incomplete_message', 'unreadable_message') AS reason,
    if(isValidJSON(message), 'a field is missing or has an impossible value', 'not JSON') AS error,
    message AS frame,
    fromUnixTimestamp64Milli(logged_ms, 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(logged_ms * 1000000, 'UTC') AS received_at,
    _topic, _partition, _offset
FROM md_funding_stream AS stream
WHERE NOT sound;

CREATE TABLE md_funding_stream_kafka {{cluster}}
(
    message           String                      COMMENT 'the whole message'
)
ENGINE = Kafka
SETTINGS
    kafka_broker_list = '{{brokers}}',
    kafka_topic_list = '{{topics_funding}}',
    kafka_group_name = '{{group}}.md_funding_stream_kafka',
    kafka_format = 'RawBLOB', -- JSONEachRow reads some decimals one bit off, see the view
    kafka_num_consumers = 1,
    kafka_thread_per_consumer = 1,
    kafka_max_block_size = 65536,
    kafka_flush_interval_ms = 500,
    kafka_poll_timeout_ms = 100,
    kafka_handle_error_mode = 'stream';

CREATE MATERIALIZED VIEW md_funding_stream_kafka_view {{cluster}} TO md_funding_stream AS
SELECT
    exchange, symbol, rate, mark_price, index_price, next_funding_ts, ts,
    if(venue_ns > 0, venue_ns, ts * 1000000) AS venue_ns,
    if(received_ns > 0, received_ns, logged_ms * 1000000) AS received_ns,
    _topic, toUInt32(_partition) AS _partition, _offset,
    ifNull(toUnixTimestamp64Milli(_timestamp_ms), 0) AS logged_ms,
    message,
    exchange != '' AND symbol != '' AND ts BETWEEN 1230940800000 AND 4102444800000 -- 2009 to 2100: a time in another unit shows here
        AS sound
FROM
(
    -- JSONExtract rounds each decimal to the nearest Float64; the input formats are off by one bit now and then.
    -- It cannot throw: what is missing or of another type becomes zero or empty, and is then not sound.
    SELECT
        message, _topic, _partition, _offset, _timestamp_ms,
        JSONExtract(message, 'Tuple(exchange String, symbol String, rate Nullable(Float64), mark_price Nullable(Float64), index_price Nullable(Float64), next_funding_ts Nullable(Int64), ts Int64, venue_ns Int64, received_ns Int64)') AS fields,
        fields.exchange AS exchange, fields.symbol AS symbol, fields.rate AS rate, fields.mark_price AS mark_price,
        fields.index_price AS index_price, fields.next_funding_ts AS next_funding_ts, fields.ts AS ts, fields.venue_ns AS venue_ns,
        fields.received_ns AS received_ns
    FROM md_funding_stream_kafka
);
