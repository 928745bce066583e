{{include stream_begin stream=md_increments_stream at=internal rows=changes}}
DROP TABLE IF EXISTS md_increments_stream_shadows {{cluster}};

CREATE TABLE md_increments_stream {{cluster}}
(
    exchange          String                      COMMENT 'venue id',
    symbol            String                      COMMENT 'canonical symbol',
    kind              String                      COMMENT 'snapshot or update',
    b                 Array(Float64)              COMMENT 'bid prices',
    bv                Array(Float64)              COMMENT 'bid sizes',
    a                 Array(Float64)              COMMENT 'ask prices',
    av                Array(Float64)              COMMENT 'ask sizes',
    timestamp         Int64                       COMMENT 'venue time, ms',
    first_sequence    Nullable(UInt64)            COMMENT 'first update id',
    sequence          UInt64                      COMMENT 'update id',
    previous_sequence Nullable(UInt64)            COMMENT 'update id before',
    venue_ns          Int64                       COMMENT 'venue time, ns',
    {{include stream_columns}}
)
ENGINE = Null;

CREATE MATERIALIZED VIEW md_increments_stream_changes {{cluster}} TO md_book_increments_store AS
SELECT
    exchange, symbol, kind, b, bv, a, av, first_sequence, sequence, previous_sequence,
    {{include row_or_shadow time_ms=stream.timestamp}}
FROM md_increments_stream AS stream
{{include rows_and_shadows time_ms=stream.timestamp}};

{{include stream_refused stream=md_increments_stream}}

{{include stream_kafka stream=md_increments_stream at=internal topics=increments}}

CREATE MATERIALIZED VIEW md_increments_stream_kafka_view {{cluster}} TO md_increments_stream AS
SELECT
    exchange, symbol, kind, b, bv, a, av, timestamp, first_sequence, sequence, previous_sequence,
    if(venue_ns > 0, venue_ns, timestamp * 1000000) AS venue_ns,
    {{include stream_judged time_ms=timestamp}}
FROM
(
    {{include stream_read}}
    SELECT
        message, _topic, _partition, _offset, _timestamp_ms,
        {{parsed message}},
        exchange != '' AND symbol != '' AND sequence > 0 AND kind IN ('snapshot', 'update')
            AND (kind = 'snapshot' OR previous_sequence IS NOT NULL)
            AND length(b) = length(bv) AND length(a) = length(av)
            -- A side without a change is said to be empty; a missing or unreadable one only looks so.
            AND (notEmpty(b) OR JSONExtractRaw(message, 'b') = '[]') AND (notEmpty(a) OR JSONExtractRaw(message, 'a') = '[]')
            AND arrayAll(x -> x > 0, b) AND arrayAll(x -> x > 0, a)
            AND arrayAll(x -> x >= 0, bv) AND arrayAll(x -> x >= 0, av)
            AS sound
    FROM md_increments_stream_kafka
);
