-- Kafka table -> one view -> Null table -> the views that store. Only one view hangs on the Kafka table, and it comes
-- last: a table without a view does not read, so nothing is read before every view is there.
-- The Kafka table goes first: what it read while a view is missing would be lost to that view.
DROP TABLE IF EXISTS md_instruments_stream_kafka {{cluster}};
DROP TABLE IF EXISTS md_instruments_stream_kafka_view {{cluster}};
DROP TABLE IF EXISTS md_instruments_stream_instruments {{cluster}};
DROP TABLE IF EXISTS md_instruments_stream_refused {{cluster}};
DROP TABLE IF EXISTS md_instruments_stream {{cluster}};

CREATE TABLE md_instruments_stream {{cluster}}
(
    exchange          String                      COMMENT 'venue id',
    symbol            String                      COMMENT 'canonical symbol',
    venue_symbol      String                      COMMENT 'the venue''s own name',
    category          Nullable(String)            COMMENT 'the venue''s word for its list',
    base              String                      COMMENT 'base asset',
    quote             String                      COMMENT 'quote asset',
    kind              String                      COMMENT 'spot, perpetual, future, option',
    tick              Nullable(String)            COMMENT 'decimal text',
    step              Nullable(String)            COMMENT 'decimal text',
    contract_size     Nullable(String)            COMMENT 'decimal text',
    multiplier        Nullable(String)            COMMENT 'decimal text',
    inverse           Bool                        COMMENT 'worth quote, not base',
    settle            Nullable(String)            COMMENT 'what gains are paid in',
    status            Nullable(String)            COMMENT 'the venue''s own word',
    expiry            Nullable(String)            COMMENT 'YYYYMMDD',
    strike            Nullable(String)            COMMENT 'decimal text',
    right             Nullable(String)            COMMENT 'C or P',
    alias_of          Nullable(String)            COMMENT 'another name',
    received_ns       Int64                       COMMENT 'receive time, ns',
    _topic            LowCardinality(String)      COMMENT 'Kafka topic',
    _partition        UInt32                      COMMENT 'Kafka partition',
    _offset           UInt64                      COMMENT 'Kafka offset',
    logged_ms         Int64                       COMMENT 'when the message reached the broker, ms',
    message           String                      COMMENT 'the whole message',
    sound             UInt8                       COMMENT '1 when the message says what it must'
)
ENGINE = Null;

CREATE MATERIALIZED VIEW md_instruments_stream_instruments {{cluster}} TO md_instruments_store AS
SELECT
    exchange, symbol, venue_symbol, category, base, quote, kind,
    toFloat64OrNull(stream.tick) AS tick, toFloat64OrNull(stream.step) AS step,
    toFloat64OrNull(stream.contract_size) AS contract_size, toFloat64OrNull(stream.multiplier) AS multiplier,
    inverse, settle, status, expiry, toFloat64OrNull(stream.strike) AS strike, right, alias_of,
    cityHash64(toString(tuple(stream.venue_symbol, stream.category, stream.base, stream.quote, stream.kind, stream.tick, stream.step, stream.contract_size, stream.multiplier, stream.inverse, stream.settle, stream.status, stream.expiry, stream.strike, stream.right, stream.alias_of))) AS version,
    fromUnixTimestamp64Milli(intDiv(received_ns, 1000000), 'UTC') AS first_seen_at,
    fromUnixTimestamp64Milli(intDiv(received_ns, 1000000), 'UTC') AS last_seen_at,
    _topic, _partition, _offset
FROM md_instruments_stream AS stream
WHERE sound;

CREATE MATERIALIZED VIEW md_instruments_stream_refused {{cluster}} TO md_dead_letter_store AS
SELECT
    exchange,
    if(isValidJSON(message), 'incomplete_message', 'unreadable_message') AS reason,
    if(isValidJSON(message), 'a field is missing or has an impossible value', 'not JSON') AS error,
    message AS frame,
    fromUnixTimestamp64Milli(logged_ms, 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(logged_ms * 1000000, 'UTC') AS received_at,
    _topic, _partition, _offset
FROM md_instruments_stream AS stream
WHERE NOT sound;

CREATE TABLE md_instruments_stream_kafka {{cluster}}
(
    message           String                      COMMENT 'the whole message'
)
ENGINE = Kafka
SETTINGS
    kafka_broker_list = '{{brokers}}',
    kafka_topic_list = '{{topics_instruments}}',
    kafka_group_name = '{{group}}.md_instruments_stream_kafka',
    kafka_format = 'RawBLOB', -- JSONEachRow reads some decimals one bit off, see the view
    kafka_num_consumers = 1,
    kafka_thread_per_consumer = 1,
    kafka_max_block_size = 65536,
    kafka_flush_interval_ms = 500,
    kafka_poll_timeout_ms = 100,
    kafka_handle_error_mode = 'stream';

CREATE MATERIALIZED VIEW md_instruments_stream_kafka_view {{cluster}} TO md_instruments_stream AS
SELECT
    exchange, symbol, venue_symbol, category, base, quote, kind, tick, step, contract_size, multiplier, inverse, settle, status, expiry, strike, right, alias_of,
    if(received_ns > 0, received_ns, logged_ms * 1000000) AS received_ns,
    _topic, toUInt32(_partition) AS _partition, _offset,
    ifNull(toUnixTimestamp64Milli(_timestamp_ms), 0) AS logged_ms,
    message,
    exchange != '' AND symbol != '' AND venue_symbol != '' AND base != '' AND quote != ''
        AND kind IN ('spot', 'perpetual', 'future', 'option')
        AS sound
FROM
(
    -- JSONExtract rounds each decimal to the nearest Float64; the input formats are off by one bit now and then.
    -- It cannot throw: what is missing or of another type becomes zero or empty, and is then not sound.
    SELECT
        message, _topic, _partition, _offset, _timestamp_ms,
        JSONExtract(message, 'Tuple(exchange String, symbol String, venue_symbol String, category Nullable(String), base String, quote String, kind String, tick Nullable(String), step Nullable(String), contract_size Nullable(String), multiplier Nullable(String), inverse Bool, settle Nullable(String), status Nullable(String), expiry Nullable(String), strike Nullable(String), right Nullable(String), alias_of Nullable(String), received_ns Int64)') AS fields,
        fields.exchange AS exchange, fields.symbol AS symbol, fields.venue_symbol AS venue_symbol,
        fields.category AS category, fields.base AS base, fields.quote AS quote, fields.kind AS kind, fields.tick AS tick, fields.step AS step,
        fields.contract_size AS contract_size, fields.multiplier AS multiplier, fields.inverse AS inverse,
        fields.settle AS settle, fields.status AS status, fields.expiry AS expiry, fields.strike AS strike,
        fields.right AS right, fields.alias_of AS alias_of, fields.received_ns AS received_ns
    FROM md_instruments_stream_kafka
);
