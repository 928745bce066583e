{{include stream_begin stream=md_trades_stream at=internal rows=trades}}

CREATE TABLE md_trades_stream {{cluster}}
(
    exchange          String                      COMMENT 'venue id',
    symbol            String                      COMMENT 'canonical symbol',
    id                String                      COMMENT 'venue id of the trade',
    price             Float64                     COMMENT 'quote units',
    qty               Float64                     COMMENT 'base units',
    raw_size          Nullable(Float64)           COMMENT 'as sent',
    side              String                      COMMENT 'buy or sell',
    ts                Int64                       COMMENT 'venue time, ms',
    venue_ns          Int64                       COMMENT 'venue time, ns',
    provenance        String                      COMMENT 'live, rest or archive',
    first_id          Nullable(String)            COMMENT 'id of the first of several matches',
    count             Nullable(UInt32)            COMMENT 'matches that it stands for',
    {{include stream_columns}}
)
ENGINE = Null;

CREATE MATERIALIZED VIEW md_trades_stream_trades {{cluster}} TO md_trades_store AS
SELECT
    exchange, symbol, id, price, qty, raw_size, side, first_id, count,
    fromUnixTimestamp64Milli(ts, 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(venue_ns, 'UTC') AS venue_time,
    fromUnixTimestamp64Nano(received_ns, 'UTC') AS received_at,
    if(provenance = '', 'live', provenance) AS provenance,
    _topic, _partition, _offset
FROM md_trades_stream AS stream
WHERE refusal = '';

{{include stream_refused stream=md_trades_stream}}

{{include stream_kafka stream=md_trades_stream at=internal topics=trades}}

CREATE MATERIALIZED VIEW md_trades_stream_kafka_view {{cluster}} TO md_trades_stream AS
SELECT
    exchange, symbol, id, price, qty, raw_size, side, ts, provenance, first_id, count,
    if(venue_ns > 0, venue_ns, ts * 1000000) AS venue_ns,
    {{include stream_judged time_ms=ts}}
FROM
(
    {{include stream_read}}
    SELECT
        message, _topic, _partition, _offset, _timestamp_ms,
        {{parsed message}},
        stated AND exchange != '' AND symbol != '' AND id != '' AND side IN ('buy', 'sell') AND price != 0
            AS sound
    FROM md_trades_stream_kafka
);
