{{include stream_begin stream=md_quotes_stream at=internal rows=quotes}}
DROP TABLE IF EXISTS md_quotes_stream_shadows {{cluster}};

CREATE TABLE md_quotes_stream {{cluster}}
(
    exchange          String                      COMMENT 'venue id',
    symbol            String                      COMMENT 'canonical symbol',
    bid_price         Nullable(Float64)           COMMENT 'quote units',
    bid_size          Nullable(Float64)           COMMENT 'base units',
    ask_price         Nullable(Float64)           COMMENT 'quote units',
    ask_size          Nullable(Float64)           COMMENT 'base units',
    raw_bid_size      Nullable(Float64)           COMMENT 'as sent',
    raw_ask_size      Nullable(Float64)           COMMENT 'as sent',
    sequence          UInt64                      COMMENT 'update id',
    ts                Int64                       COMMENT 'venue time, ms',
    venue_ns          Int64                       COMMENT 'venue time, ns',
    {{include stream_columns}}
)
ENGINE = Null;

CREATE MATERIALIZED VIEW md_quotes_stream_quotes {{cluster}} TO md_quotes_store AS
SELECT
    exchange, symbol, bid_price, bid_size, ask_price, ask_size, raw_bid_size, raw_ask_size, sequence,
    {{include row_or_shadow time_ms=ts}}
FROM md_quotes_stream AS stream
{{include rows_and_shadows time_ms=ts}};

{{include stream_refused stream=md_quotes_stream}}

{{include stream_kafka stream=md_quotes_stream at=internal topics=quotes}}

CREATE MATERIALIZED VIEW md_quotes_stream_kafka_view {{cluster}} TO md_quotes_stream AS
SELECT
    exchange, symbol, bid_price, bid_size, ask_price, ask_size, raw_bid_size, raw_ask_size, sequence, ts,
    if(venue_ns > 0, venue_ns, ts * 1000000) AS venue_ns,
    {{include stream_judged time_ms=ts}}
FROM
(
    {{include stream_read}}
    SELECT
        message, _topic, _partition, _offset, _timestamp_ms,
        {{parsed message}},
        exchange != '' AND symbol != '' AND sequence > 0
            AND isNull(bid_price) = isNull(bid_size) AND isNull(ask_price) = isNull(ask_size)
            -- A quote without any price says that both sides are empty; one that lacks the fields says nothing.
            AND (isNotNull(bid_price) OR isNotNull(ask_price)
                OR (JSONExtractRaw(message, 'bid_price') = 'null' AND JSONExtractRaw(message, 'ask_price') = 'null'))
            AS sound
    FROM md_quotes_stream_kafka
);
