-- Kafka table -> one view -> Null table -> the views that store. Only one view hangs on the Kafka table, and it comes
-- last: a table without a view does not read, so nothing is read before every view is there.
-- The Kafka table goes first: what it read while a view is missing would be lost to that view.
DROP TABLE IF EXISTS md_orderbook_stream_kafka {{cluster}};
DROP TABLE IF EXISTS md_orderbook_stream_kafka_view {{cluster}};
DROP TABLE IF EXISTS md_orderbook_stream_depth {{cluster}};
DROP TABLE IF EXISTS md_orderbook_stream_refused {{cluster}};
DROP TABLE IF EXISTS md_orderbook_depth_top {{cluster}};
DROP TABLE IF EXISTS md_orderbook_stream {{cluster}};

CREATE TABLE md_orderbook_stream {{cluster}}
(
    exchange          String                      COMMENT 'venue id',
    symbol            String                      COMMENT 'canonical symbol',
    b                 Array(Float64)              COMMENT 'bid prices',
    bv                Array(Float64)              COMMENT 'bid sizes',
    a                 Array(Float64)              COMMENT 'ask prices',
    av                Array(Float64)              COMMENT 'ask sizes',
    raw_bv            Array(Float64)              COMMENT 'bid sizes as sent',
    raw_av            Array(Float64)              COMMENT 'ask sizes as sent',
    timestamp         Int64                       COMMENT 'venue time, ms',
    sequence          UInt64                      COMMENT 'update id',
    previous_sequence Nullable(UInt64)            COMMENT 'update id before',
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

CREATE MATERIALIZED VIEW md_orderbook_stream_depth {{cluster}} TO md_orderbook_depth_store AS
SELECT
    exchange, symbol, b, bv, a, av, raw_bv, raw_av, sequence, previous_sequence,
    fromUnixTimestamp64Milli(stream.timestamp, 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(venue_ns, 'UTC') AS venue_time,
    fromUnixTimestamp64Nano(received_ns, 'UTC') AS received_at,
    _topic, _partition, _offset
FROM md_orderbook_stream AS stream
WHERE sound;

-- A book with an empty side has no top.
CREATE MATERIALIZED VIEW md_orderbook_depth_top {{cluster}} TO md_top_of_book_store AS
SELECT
    exchange, symbol, timestamp, sequence,
    b[1] AS bid_price, bv[1] AS bid_size, a[1] AS ask_price, av[1] AS ask_size,
    venue_time, received_at, _topic, _partition, _offset
FROM md_orderbook_depth_store
WHERE notEmpty(b) AND notEmpty(a);

CREATE MATERIALIZED VIEW md_orderbook_stream_refused {{cluster}} TO md_dead_letter_store AS
SELECT
    exchange,
    if(isValidJSON(message), 'incomplete_message', 'unreadable_message') AS reason,
    if(isValidJSON(message), 'a field is missing or has an impossible value', 'not JSON') AS error,
    message AS frame,
    fromUnixTimestamp64Milli(logged_ms, 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(logged_ms * 1000000, 'UTC') AS received_at,
    _topic, _partition, _offset
FROM md_orderbook_stream AS stream
WHERE NOT sound;

CREATE TABLE md_orderbook_stream_kafka {{cluster}}
(
    message           String                      COMMENT 'the whole message'
)
ENGINE = Kafka
SETTINGS
    kafka_broker_list = '{{brokers}}',
    kafka_topic_list = '{{topics_books}}',
    kafka_group_name = '{{group}}.md_orderbook_stream_kafka',
    kafka_format = 'RawBLOB', -- JSONEachRow reads some decimals one bit off, see the view
    kafka_num_consumers = 1,
    kafka_thread_per_consumer = 1,
    kafka_max_block_size = 65536,
    kafka_flush_interval_ms = 100,
    kafka_poll_timeout_ms = 50,
    kafka_handle_error_mode = 'stream';

CREATE MATERIALIZED VIEW md_orderbook_stream_kafka_view {{cluster}} TO md_orderbook_stream AS
SELECT
    exchange, symbol, b, bv, a, av, raw_bv, raw_av, timestamp, sequence, previous_sequence,
    if(venue_ns > 0, venue_ns, timestamp * 1000000) AS venue_ns,
    if(received_ns > 0, received_ns, logged_ms * 1000000) AS received_ns,
    _topic, toUInt32(_partition) AS _partition, _offset,
    ifNull(toUnixTimestamp64Milli(_timestamp_ms), 0) AS logged_ms,
    message,
    exchange != '' AND symbol != ''
        AND length(b) = length(bv) AND length(a) = length(av)
        AND length(raw_bv) IN (0, length(bv)) AND length(raw_av) IN (0, length(av)) AND (notEmpty(b) OR notEmpty(a))
        AND arrayMin(arrayConcat(b, a)) > 0 AND arrayMin(arrayConcat(bv, av)) > 0
        AND sequence > 0 AND timestamp BETWEEN 1230940800000 AND 4102444800000 -- 2009 to 2100: a time in another unit shows here
        AS sound
FROM
(
    -- JSONExtract rounds each decimal to the nearest Float64; the input formats are off by one bit now and then.
    -- It cannot throw: what is missing or of another type becomes zero or empty, and is then not sound.
    SELECT
        message, _topic, _partition, _offset, _timestamp_ms,
        JSONExtract(message, 'Tuple(exchange String, symbol String, b Array(Float64), bv Array(Float64), a Array(Float64), av Array(Float64), raw_bv Array(Float64), raw_av Array(Float64), timestamp Int64, sequence UInt64, previous_sequence Nullable(UInt64), venue_ns Int64, received_ns Int64)') AS fields,
        fields.exchange AS exchange, fields.symbol AS symbol, fields.b AS b, fields.bv AS bv,
        fields.a AS a, fields.av AS av, fields.raw_bv AS raw_bv, fields.raw_av AS raw_av, fields.timestamp AS timestamp, fields.sequence AS sequence,
        fields.previous_sequence AS previous_sequence, fields.venue_ns AS venue_ns, fields.received_ns AS received_ns
    FROM md_orderbook_stream_kafka
);
