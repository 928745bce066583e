{{include stream_begin stream=md_index_stream at=internal rows=prices}}

CREATE TABLE md_index_stream {{cluster}}
(
    exchange          String                      COMMENT 'venue id',
    symbol            String                      COMMENT 'canonical symbol',
    price             Float64                     COMMENT 'quote units; percent of a volatility',
    ts                Int64                       COMMENT 'venue time, ms',
    venue_ns          Int64                       COMMENT 'venue time, ns',
    {{include stream_columns}}
)
ENGINE = Null;

CREATE MATERIALIZED VIEW md_index_stream_prices {{cluster}} TO md_index_store AS
SELECT
    exchange, symbol, price,
    fromUnixTimestamp64Milli(ts, 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(venue_ns, 'UTC') AS venue_time,
    fromUnixTimestamp64Nano(received_ns, 'UTC') AS received_at,
    _topic, _partition, _offset
FROM md_index_stream AS stream
WHERE refusal = '';

{{include stream_refused stream=md_index_stream}}

{{include stream_kafka stream=md_index_stream at=internal topics=index}}

CREATE MATERIALIZED VIEW md_index_stream_kafka_view {{cluster}} TO md_index_stream AS
SELECT
    exchange, symbol, price, ts,
    if(venue_ns > 0, venue_ns, ts * 1000000) AS venue_ns,
    {{include stream_judged time_ms=ts}}
FROM
(
    {{include stream_read}}
    SELECT
        message, _topic, _partition, _offset, _timestamp_ms,
        {{parsed message}},
        exchange != '' AND symbol != '' AND stated AND price >= 0
            AS sound
    FROM md_index_stream_kafka
);
