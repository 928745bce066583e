{{include stream_begin stream=md_orderbook_stream at=readers rows=depth}}
DROP TABLE IF EXISTS md_orderbook_depth_top {{cluster}};
DROP TABLE IF EXISTS md_orderbook_stream_shadows {{cluster}};

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
    bid_depth_10bps   Nullable(Float64)           COMMENT 'bids within 10 bps of the mid',
    ask_depth_10bps   Nullable(Float64)           COMMENT 'asks within 10 bps of the mid',
    timestamp         Int64                       COMMENT 'venue time, ms',
    sequence          UInt64                      COMMENT 'update id',
    previous_sequence Nullable(UInt64)            COMMENT 'update id before',
    venue_ns          Int64                       COMMENT 'venue time, ns',
    {{include stream_columns}}
)
ENGINE = Null;

CREATE MATERIALIZED VIEW md_orderbook_stream_depth {{cluster}} TO md_orderbook_depth_store AS
SELECT
    exchange, symbol, b, bv, a, av, raw_bv, raw_av, bid_depth_10bps, ask_depth_10bps, sequence, previous_sequence,
    {{include row_or_shadow time_ms=stream.timestamp}}
FROM md_orderbook_stream AS stream
{{include rows_and_shadows time_ms=stream.timestamp}};

-- An empty side has price 0 there, and readers see NULL.
CREATE MATERIALIZED VIEW md_orderbook_depth_top {{cluster}} TO md_top_of_book_store AS
SELECT
    exchange, symbol, timestamp, sequence,
    b[1] AS bid_price, bv[1] AS bid_size, a[1] AS ask_price, av[1] AS ask_size,
    venue_time, received_at, _topic, _partition, _offset
FROM md_orderbook_depth_store;

{{include stream_refused stream=md_orderbook_stream}}

{{include stream_kafka stream=md_orderbook_stream at=readers topics=books}}

CREATE MATERIALIZED VIEW md_orderbook_stream_kafka_view {{cluster}} TO md_orderbook_stream AS
SELECT
    exchange, symbol, b, bv, a, av, raw_bv, raw_av, bid_depth_10bps, ask_depth_10bps, timestamp, sequence, previous_sequence,
    if(venue_ns > 0, venue_ns, timestamp * 1000000) AS venue_ns,
    {{include stream_judged time_ms=timestamp}}
FROM
(
    {{include stream_read}}
    SELECT
        message, _topic, _partition, _offset, _timestamp_ms,
        {{parsed message}},
        exchange != '' AND symbol != '' AND sequence > 0
            AND length(b) = length(bv) AND length(a) = length(av)
            AND length(raw_bv) IN (0, length(bv)) AND length(raw_av) IN (0, length(av))
            -- An emptied side is said to be empty; a missing or unreadable one only looks so.
            AND (notEmpty(b) OR JSONExtractRaw(message, 'b') = '[]') AND (notEmpty(a) OR JSONExtractRaw(message, 'a') = '[]')
            AND arrayAll(x -> x > 0, b) AND arrayAll(x -> x > 0, a)
            AND arrayAll(x -> x > 0, bv) AND arrayAll(x -> x > 0, av)
            AS sound
    FROM {{readers}}.md_orderbook_stream_kafka
);
