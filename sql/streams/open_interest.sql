{{include stream_begin stream=md_open_interest_stream at=internal rows=open_interest}}

CREATE TABLE md_open_interest_stream {{cluster}}
(
    exchange          String                      COMMENT 'venue id',
    symbol            String                      COMMENT 'canonical symbol',
    open_interest     Float64                     COMMENT 'base units',
    open_interest_value Nullable(Float64)         COMMENT 'quote units',
    raw_open_interest Nullable(Float64)           COMMENT 'as the venue sent it',
    ts                Int64                       COMMENT 'venue time, ms',
    venue_ns          Int64                       COMMENT 'venue time, ns',
    {{include stream_columns}}
)
ENGINE = Null;

CREATE MATERIALIZED VIEW md_open_interest_stream_open_interest {{cluster}} TO md_open_interest_store AS
SELECT
    exchange, symbol, open_interest, open_interest_value, raw_open_interest,
    fromUnixTimestamp64Milli(ts, 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(venue_ns, 'UTC') AS venue_time,
    fromUnixTimestamp64Nano(received_ns, 'UTC') AS received_at,
    _topic, _partition, _offset
FROM md_open_interest_stream AS stream
WHERE refusal = '';

{{include stream_refused stream=md_open_interest_stream}}

{{include stream_kafka stream=md_open_interest_stream at=internal topics=open_interest}}

CREATE MATERIALIZED VIEW md_open_interest_stream_kafka_view {{cluster}} TO md_open_interest_stream AS
SELECT
    exchange, symbol, open_interest, open_interest_value, raw_open_interest, ts,
    if(venue_ns > 0, venue_ns, ts * 1000000) AS venue_ns,
    {{include stream_judged time_ms=ts}}
FROM
(
    {{include stream_read}}
    SELECT
        message, _topic, _partition, _offset, _timestamp_ms,
        {{parsed message}},
        exchange != '' AND symbol != '' AND stated AND open_interest >= 0
            AS sound
    FROM md_open_interest_stream_kafka
);
