{{include stream_begin stream=md_funding_stream at=internal rows=funding}}

CREATE TABLE md_funding_stream {{cluster}}
(
    exchange          String                      COMMENT 'venue id',
    symbol            String                      COMMENT 'canonical symbol',
    rate              Nullable(Float64)           COMMENT 'fraction per interval',
    mark_price        Nullable(Float64)           COMMENT 'quote units',
    index_price       Nullable(Float64)           COMMENT 'quote units',
    next_funding_ts   Nullable(Int64)             COMMENT 'next payment, ms',
    predicted_rate    Nullable(Float64)           COMMENT 'fraction, of the interval after that',
    last_price        Nullable(Float64)           COMMENT 'quote units',
    ts                Int64                       COMMENT 'venue time, ms',
    venue_ns          Int64                       COMMENT 'venue time, ns',
    {{include stream_columns}}
)
ENGINE = Null;

CREATE MATERIALIZED VIEW md_funding_stream_funding {{cluster}} TO md_funding_store AS
SELECT
    exchange, symbol, rate, mark_price, index_price,
    fromUnixTimestamp64Milli(next_funding_ts, 'UTC') AS next_funding_at, predicted_rate, last_price,
    fromUnixTimestamp64Milli(ts, 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(venue_ns, 'UTC') AS venue_time,
    fromUnixTimestamp64Nano(received_ns, 'UTC') AS received_at,
    _topic, _partition, _offset
FROM md_funding_stream AS stream
WHERE refusal = '';

{{include stream_refused stream=md_funding_stream}}

{{include stream_kafka stream=md_funding_stream at=internal topics=funding}}

CREATE MATERIALIZED VIEW md_funding_stream_kafka_view {{cluster}} TO md_funding_stream AS
SELECT
    exchange, symbol, rate, mark_price, index_price, next_funding_ts, predicted_rate, last_price, ts,
    if(venue_ns > 0, venue_ns, ts * 1000000) AS venue_ns,
    {{include stream_judged time_ms=ts}}
FROM
(
    {{include stream_read}}
    SELECT
        message, _topic, _partition, _offset, _timestamp_ms,
        {{parsed message}},
        exchange != '' AND symbol != ''
            AS sound
    FROM md_funding_stream_kafka
);
