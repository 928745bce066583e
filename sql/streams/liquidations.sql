{{include stream_begin stream=md_liquidations_stream at=internal rows=liquidations}}

CREATE TABLE md_liquidations_stream {{cluster}}
(
    exchange          String                      COMMENT 'venue id',
    symbol            String                      COMMENT 'canonical symbol',
    id                String                      COMMENT 'venue id of the liquidation',
    price             Float64                     COMMENT 'quote units',
    qty               Float64                     COMMENT 'base units',
    raw_size          Nullable(Float64)           COMMENT 'as sent',
    side              String                      COMMENT 'buy or sell',
    ts                Int64                       COMMENT 'venue time, ms',
    venue_ns          Int64                       COMMENT 'venue time, ns',
    {{include stream_columns}}
)
ENGINE = Null;

CREATE MATERIALIZED VIEW md_liquidations_stream_liquidations {{cluster}} TO md_liquidations_store AS
SELECT
    exchange, symbol, id, price, qty, raw_size, side,
    fromUnixTimestamp64Milli(ts, 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(venue_ns, 'UTC') AS venue_time,
    fromUnixTimestamp64Nano(received_ns, 'UTC') AS received_at,
    _topic, _partition, _offset
FROM md_liquidations_stream AS stream
WHERE refusal = '';

{{include stream_refused stream=md_liquidations_stream}}

{{include stream_kafka stream=md_liquidations_stream at=internal topics=liquidations}}

CREATE MATERIALIZED VIEW md_liquidations_stream_kafka_view {{cluster}} TO md_liquidations_stream AS
SELECT
    exchange, symbol, id, price, qty, raw_size, side, ts,
    if(venue_ns > 0, venue_ns, ts * 1000000) AS venue_ns,
    {{include stream_judged time_ms=ts}}
FROM
(
    {{include stream_read}}
    SELECT
        message, _topic, _partition, _offset, _timestamp_ms,
        {{parsed message}},
        stated AND exchange != '' AND symbol != '' AND id != '' AND side IN ('buy', 'sell')
            AS sound
    FROM md_liquidations_stream_kafka
);
