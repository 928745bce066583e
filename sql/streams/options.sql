{{include stream_begin stream=md_option_summary_stream at=internal rows=options}}

CREATE TABLE md_option_summary_stream {{cluster}}
(
    exchange          String                      COMMENT 'venue id',
    symbol            String                      COMMENT 'canonical symbol',
    mark_price        Nullable(Float64)           COMMENT 'value of the option, in the units of its price',
    mark_iv           Nullable(Float64)           COMMENT 'implied volatility of the mark price, a year',
    bid_iv            Nullable(Float64)           COMMENT 'implied volatility of the best bid, a year',
    ask_iv            Nullable(Float64)           COMMENT 'implied volatility of the best ask, a year',
    bid_price         Nullable(Float64)           COMMENT 'best bid, in the units of its price; NULL where there is none',
    ask_price         Nullable(Float64)           COMMENT 'best ask, in the units of its price; NULL where there is none',
    last_price        Nullable(Float64)           COMMENT 'of the last trade; NULL where there was none',
    delta             Nullable(Float64)           COMMENT 'as the venue defines it',
    gamma             Nullable(Float64)           COMMENT 'as the venue defines it',
    vega              Nullable(Float64)           COMMENT 'as the venue defines it',
    theta             Nullable(Float64)           COMMENT 'as the venue defines it',
    rho               Nullable(Float64)           COMMENT 'as the venue defines it',
    underlying        Nullable(String)            COMMENT 'the venue''s name',
    underlying_price  Nullable(Float64)           COMMENT 'of the underlying',
    open_interest     Nullable(Float64)           COMMENT 'open contracts in base units',
    ts                Int64                       COMMENT 'venue time, ms',
    venue_ns          Int64                       COMMENT 'venue time, ns',
    {{include stream_columns}}
)
ENGINE = Null;

CREATE MATERIALIZED VIEW md_option_summary_stream_options {{cluster}} TO md_option_summary_store AS
SELECT
    exchange, symbol, mark_price, mark_iv, bid_iv, ask_iv, bid_price, ask_price, last_price,
    delta, gamma, vega, theta, rho, underlying, underlying_price, open_interest,
    fromUnixTimestamp64Milli(ts, 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(venue_ns, 'UTC') AS venue_time,
    fromUnixTimestamp64Nano(received_ns, 'UTC') AS received_at,
    _topic, _partition, _offset
FROM md_option_summary_stream AS stream
WHERE refusal = '';

{{include stream_refused stream=md_option_summary_stream}}

{{include stream_kafka stream=md_option_summary_stream at=internal topics=options}}

CREATE MATERIALIZED VIEW md_option_summary_stream_kafka_view {{cluster}} TO md_option_summary_stream AS
SELECT
    exchange, symbol, mark_price, mark_iv, bid_iv, ask_iv, bid_price, ask_price, last_price,
    delta, gamma, vega, theta, rho, underlying, underlying_price, open_interest, ts,
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
    FROM md_option_summary_stream_kafka
);
