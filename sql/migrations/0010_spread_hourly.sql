-- One row an exchange, symbol and hour of venue time. A partition is an hour: it is built in the staging table and put
-- in place whole, so that a reader sees the old hour or the new one. All but `updates` counts valid time only.
CREATE TABLE IF NOT EXISTS md_spread_hourly_store {{cluster}}
(
    hour              DateTime('UTC')             COMMENT 'begin of the hour' CODEC(Delta, ZSTD(1)),
    exchange          LowCardinality(String)      COMMENT 'venue id' CODEC(ZSTD(1)),
    symbol            LowCardinality(String)      COMMENT 'canonical symbol' CODEC(ZSTD(1)),
    updates           UInt64                      COMMENT 'books received, valid or not' CODEC(ZSTD(1)),
    coverage          Float64                     COMMENT 'valid time / 3600 s, 0 to 1' CODEC(ZSTD(1)),
    spread            Nullable(Float64)           COMMENT 'ask - bid, mean by time, quote units' CODEC(ZSTD(1)),
    spread_median     Nullable(Float64)           COMMENT 'half of the time the spread was at most this' CODEC(ZSTD(1)),
    spread_p95        Nullable(Float64)           COMMENT '95 % of the time' CODEC(ZSTD(1)),
    spread_p99        Nullable(Float64)           COMMENT '99 % of the time' CODEC(ZSTD(1)),
    spread_bps        Nullable(Float64)           COMMENT 'spread / mid * 10000, mean by time' CODEC(ZSTD(1)),
    spread_bps_median Nullable(Float64)           COMMENT 'half of the time at most this' CODEC(ZSTD(1)),
    spread_bps_p95    Nullable(Float64)           COMMENT '95 % of the time' CODEC(ZSTD(1)),
    spread_bps_p99    Nullable(Float64)           COMMENT '99 % of the time' CODEC(ZSTD(1)),
    mid_open          Nullable(Float64)           COMMENT '(bid + ask) / 2 in force at the first valid moment' CODEC(ZSTD(1)),
    mid_high          Nullable(Float64)           COMMENT 'highest mid' CODEC(ZSTD(1)),
    mid_low           Nullable(Float64)           COMMENT 'lowest mid' CODEC(ZSTD(1)),
    mid_close         Nullable(Float64)           COMMENT 'mid in force at the last valid moment' CODEC(ZSTD(1)),
    imbalance         Nullable(Float64)           COMMENT '(bid size - ask size) / (bid size + ask size) of the best levels, mean by time' CODEC(ZSTD(1)),
    bid_depth_10bps_base  Nullable(Float64)       COMMENT 'bids within 10 bps of the mid, base units, mean by time; of the published levels' CODEC(ZSTD(1)),
    bid_depth_10bps_quote Nullable(Float64)       COMMENT 'the same in quote units' CODEC(ZSTD(1)),
    ask_depth_10bps_base  Nullable(Float64)       COMMENT 'asks within 10 bps of the mid, base units, mean by time; of the published levels' CODEC(ZSTD(1)),
    ask_depth_10bps_quote Nullable(Float64)       COMMENT 'the same in quote units' CODEC(ZSTD(1)),
    realized_volatility   Nullable(Float64)       COMMENT 'of log returns of the mid every 10 s, per year' CODEC(ZSTD(1)),
    order_flow_imbalance  Float64                 COMMENT 'sum over updates, base units (Cont, Kukanov, Stoikov 2014)' CODEC(ZSTD(1)),
    inserted_at       DateTime64(3, 'UTC')        DEFAULT now64(3, 'UTC') COMMENT 'when the hour was built' CODEC(ZSTD(1))
)
ENGINE = {{engine}}ReplacingMergeTree
PARTITION BY toYYYYMMDD(hour) * 100 + toHour(hour)
ORDER BY (exchange, symbol);

CREATE TABLE IF NOT EXISTS md_spread_hourly_staging {{cluster}} AS md_spread_hourly_store;

CREATE VIEW IF NOT EXISTS md_spread_hourly {{cluster}} AS
SELECT * FROM md_spread_hourly_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
