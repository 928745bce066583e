{{include stream_begin stream=md_signals_stream at=internal rows=signals}}

CREATE TABLE md_signals_stream {{cluster}}
(
    exchange          String                      COMMENT 'venue id',
    symbol            String                      COMMENT 'canonical symbol',
    signal            String                      COMMENT 'name',
    ts                Int64                       COMMENT 'venue time, ms',
    {{include stream_columns}}
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
WHERE refusal = '';

{{include stream_refused stream=md_signals_stream}}

{{include stream_kafka stream=md_signals_stream at=internal topics=signals}}

CREATE MATERIALIZED VIEW md_signals_stream_kafka_view {{cluster}} TO md_signals_stream AS
SELECT
    exchange, symbol, signal, ts,
    {{include stream_judged time_ms=ts}}
FROM
(
    SELECT
        message, _topic, _partition, _offset, _timestamp_ms,
        JSONExtractString(message, 'exchange') AS exchange,
        JSONExtractString(message, 'symbol') AS symbol,
        JSONExtractString(message, 'kind') AS signal,
        JSONExtractInt(message, 'ts') AS ts,
        JSONExtract(message, 'Tuple(received_ns Int64)') AS fields, fields.received_ns AS received_ns,
        signal != '' AS sound
    FROM md_signals_stream_kafka
);
