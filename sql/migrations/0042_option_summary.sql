-- Venues give the summary of an option no id: its time is its identity. Of two about one time the newer one holds.
CREATE TABLE IF NOT EXISTS md_option_summary_store {{cluster}}
(
    exchange          LowCardinality(String)      COMMENT 'venue id' CODEC(ZSTD(1)),
    symbol            LowCardinality(String)      COMMENT 'canonical symbol: BTC-USD-20261225-100000-C' CODEC(ZSTD(1)),
    mark_price        Nullable(Float64)           COMMENT 'value of the option, in the units of its price' CODEC(ZSTD(1)),
    mark_iv           Nullable(Float64)           COMMENT 'implied volatility of the mark price, a year' CODEC(ZSTD(1)),
    bid_iv            Nullable(Float64)           COMMENT 'implied volatility of the best bid, a year' CODEC(ZSTD(1)),
    ask_iv            Nullable(Float64)           COMMENT 'implied volatility of the best ask, a year' CODEC(ZSTD(1)),
    bid_price         Nullable(Float64)           COMMENT 'best bid, in the units of its price; NULL where there is none' CODEC(ZSTD(1)),
    ask_price         Nullable(Float64)           COMMENT 'best ask, in the units of its price; NULL where there is none' CODEC(ZSTD(1)),
    last_price        Nullable(Float64)           COMMENT 'of the last trade; NULL where there was none' CODEC(ZSTD(1)),
    delta             Nullable(Float64)           COMMENT 'as the venue defines it' CODEC(ZSTD(1)),
    gamma             Nullable(Float64)           COMMENT 'as the venue defines it' CODEC(ZSTD(1)),
    vega              Nullable(Float64)           COMMENT 'as the venue defines it' CODEC(ZSTD(1)),
    theta             Nullable(Float64)           COMMENT 'as the venue defines it' CODEC(ZSTD(1)),
    rho               Nullable(Float64)           COMMENT 'as the venue defines it' CODEC(ZSTD(1)),
    underlying        LowCardinality(Nullable(String)) COMMENT 'what it is valued by, under the venue''s name' CODEC(ZSTD(1)),
    underlying_price  Nullable(Float64)           COMMENT 'of the underlying' CODEC(ZSTD(1)),
    open_interest     Nullable(Float64)           COMMENT 'open contracts in base units' CODEC(ZSTD(1)),
    timestamp         DateTime64(3, 'UTC')        COMMENT 'venue time; receive time where the venue sends none' CODEC(Delta, ZSTD(1)),
    venue_time        DateTime64(9, 'UTC')        COMMENT 'venue time, as fine as the venue states it' CODEC(Delta, ZSTD(1)),
    received_at       DateTime64(9, 'UTC')        COMMENT 'when the collector received it' CODEC(Delta, ZSTD(1)),
    _topic            LowCardinality(String)      COMMENT 'Kafka topic of the message' CODEC(ZSTD(1)),
    _partition        UInt32                      COMMENT 'Kafka partition of the message' CODEC(ZSTD(1)),
    _offset           UInt64                      COMMENT 'Kafka offset of the message' CODEC(Delta, ZSTD(1)),
    inserted_at       DateTime64(3, 'UTC')        DEFAULT now64(3, 'UTC') COMMENT 'when this row was written' CODEC(Delta, ZSTD(1)),
    precedence        UInt64                      MATERIALIZED toUInt64(toUnixTimestamp64Nano(received_at)) COMMENT 'of equal rows the last received is kept' CODEC(Delta, ZSTD(1)),
    INDEX by_time timestamp TYPE minmax GRANULARITY 1
)
ENGINE = {{engine}}ReplacingMergeTree(precedence)
PARTITION BY toDate(timestamp)
ORDER BY (exchange, symbol, venue_time);

CREATE VIEW IF NOT EXISTS md_option_summary {{cluster}} AS
SELECT * FROM md_option_summary_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
