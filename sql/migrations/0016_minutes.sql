-- Charts by the minute: what traded, and the best levels over valid time. A partition is an hour, built in the staging
-- table and put in place whole, as md_spread_hourly is.
CREATE TABLE IF NOT EXISTS md_trades_minute_store {{cluster}}
(
    minute            DateTime('UTC')             COMMENT 'begin of the minute, venue time' CODEC(Delta, ZSTD(1)),
    exchange          LowCardinality(String)      COMMENT 'venue id' CODEC(ZSTD(1)),
    symbol            LowCardinality(String)      COMMENT 'canonical symbol' CODEC(ZSTD(1)),
    open              Float64                     COMMENT 'price of the first trade' CODEC(ZSTD(1)),
    high              Float64                     COMMENT 'highest price' CODEC(ZSTD(1)),
    low               Float64                     COMMENT 'lowest price' CODEC(ZSTD(1)),
    close             Float64                     COMMENT 'price of the last trade' CODEC(ZSTD(1)),
    volume            Float64                     COMMENT 'base units' CODEC(ZSTD(1)),
    quote_volume      Float64                     COMMENT 'quote units' CODEC(ZSTD(1)),
    buy_volume        Float64                     COMMENT 'of it bought by the taker, base units' CODEC(ZSTD(1)),
    trades            UInt64                      COMMENT 'number of trades' CODEC(ZSTD(1)),
    vwap              Float64                     COMMENT 'quote_volume / volume' CODEC(ZSTD(1)),
    inserted_at       DateTime64(3, 'UTC')        DEFAULT now64(3, 'UTC') COMMENT 'when the hour was built' CODEC(ZSTD(1))
)
ENGINE = {{engine}}ReplacingMergeTree
PARTITION BY toYYYYMMDD(minute) * 100 + toHour(minute)
ORDER BY (exchange, symbol, minute);

CREATE TABLE IF NOT EXISTS md_trades_minute_staging {{cluster}} AS md_trades_minute_store;

CREATE VIEW IF NOT EXISTS md_trades_minute {{cluster}} AS
SELECT * FROM md_trades_minute_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE TABLE IF NOT EXISTS md_top_of_book_minute_store {{cluster}}
(
    minute            DateTime('UTC')             COMMENT 'begin of the minute, venue time' CODEC(Delta, ZSTD(1)),
    exchange          LowCardinality(String)      COMMENT 'venue id' CODEC(ZSTD(1)),
    symbol            LowCardinality(String)      COMMENT 'canonical symbol' CODEC(ZSTD(1)),
    updates           UInt64                      COMMENT 'books received, valid or not' CODEC(ZSTD(1)),
    coverage          Float64                     COMMENT 'valid time / 60 s, 0 to 1' CODEC(ZSTD(1)),
    mid_open          Nullable(Float64)           COMMENT '(bid + ask) / 2 in force at the first valid moment' CODEC(ZSTD(1)),
    mid_high          Nullable(Float64)           COMMENT 'highest mid' CODEC(ZSTD(1)),
    mid_low           Nullable(Float64)           COMMENT 'lowest mid' CODEC(ZSTD(1)),
    mid_close         Nullable(Float64)           COMMENT 'mid in force at the last valid moment' CODEC(ZSTD(1)),
    spread            Nullable(Float64)           COMMENT 'ask - bid, mean by time, quote units' CODEC(ZSTD(1)),
    spread_bps        Nullable(Float64)           COMMENT 'spread / mid * 10000, mean by time' CODEC(ZSTD(1)),
    inserted_at       DateTime64(3, 'UTC')        DEFAULT now64(3, 'UTC') COMMENT 'when the hour was built' CODEC(ZSTD(1))
)
ENGINE = {{engine}}ReplacingMergeTree
PARTITION BY toYYYYMMDD(minute) * 100 + toHour(minute)
ORDER BY (exchange, symbol, minute);

CREATE TABLE IF NOT EXISTS md_top_of_book_minute_staging {{cluster}} AS md_top_of_book_minute_store;

CREATE VIEW IF NOT EXISTS md_top_of_book_minute {{cluster}} AS
SELECT * FROM md_top_of_book_minute_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
