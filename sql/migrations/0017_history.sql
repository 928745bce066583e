-- What venues publish about the past, as they publish it; beside it, which files were loaded. Trades whose ids are those
-- of the trades collected live are in md_trades. Of equal rows the last loaded is kept: a file that is published anew corrects.
CREATE TABLE IF NOT EXISTS md_klines_store {{cluster}}
(
    exchange          LowCardinality(String)      COMMENT 'venue id' CODEC(ZSTD(1)),
    symbol            LowCardinality(String)      COMMENT 'canonical symbol: BTC-USDT, BTC-USDT-PERP' CODEC(ZSTD(1)),
    interval          LowCardinality(String)      COMMENT 'length as the venue calls it: 1m' CODEC(ZSTD(1)),
    timestamp         DateTime64(3, 'UTC')        COMMENT 'its first moment' CODEC(Delta, ZSTD(1)),
    close_time        DateTime64(3, 'UTC')        COMMENT 'its last ms' CODEC(Delta, ZSTD(1)),
    open              Float64                     COMMENT 'first price' CODEC(ZSTD(1)),
    high              Float64                     COMMENT 'highest price' CODEC(ZSTD(1)),
    low               Float64                     COMMENT 'lowest price' CODEC(ZSTD(1)),
    close             Float64                     COMMENT 'last price' CODEC(ZSTD(1)),
    volume            Float64                     COMMENT 'in base units' CODEC(ZSTD(1)),
    quote_volume      Float64                     COMMENT 'in quote units' CODEC(ZSTD(1)),
    trades            UInt64                      COMMENT 'number of trades' CODEC(Delta, ZSTD(1)),
    taker_buy_volume  Float64                     COMMENT 'bought by takers, base units' CODEC(ZSTD(1)),
    taker_buy_quote_volume Float64                COMMENT 'bought by takers, quote units' CODEC(ZSTD(1)),
    provenance        LowCardinality(String)      COMMENT 'archive' CODEC(ZSTD(1)),
    inserted_at       DateTime64(3, 'UTC')        DEFAULT now64(3, 'UTC') COMMENT 'when this row was written' CODEC(Delta, ZSTD(1))
)
ENGINE = {{engine}}ReplacingMergeTree(inserted_at)
PARTITION BY toYYYYMM(timestamp)
ORDER BY (exchange, symbol, interval, timestamp);

CREATE VIEW IF NOT EXISTS md_klines {{cluster}} AS
SELECT * FROM md_klines_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE TABLE IF NOT EXISTS md_agg_trades_store {{cluster}}
(
    exchange          LowCardinality(String)      COMMENT 'venue id' CODEC(ZSTD(1)),
    symbol            LowCardinality(String)      COMMENT 'canonical symbol: BTC-USDT, BTC-USDT-PERP' CODEC(ZSTD(1)),
    id                UInt64                      COMMENT 'of the aggregate: the fills of one order at one price' CODEC(Delta, ZSTD(1)),
    price             Float64                     COMMENT 'in quote units' CODEC(ZSTD(1)),
    qty               Float64                     COMMENT 'in base units' CODEC(ZSTD(1)),
    side              LowCardinality(String)      COMMENT 'buy or sell: the taker''s side' CODEC(ZSTD(1)),
    first_id          UInt64                      COMMENT 'id of its first trade' CODEC(Delta, ZSTD(1)),
    last_id           UInt64                      COMMENT 'id of its last trade' CODEC(Delta, ZSTD(1)),
    timestamp         DateTime64(3, 'UTC')        COMMENT 'venue time' CODEC(Delta, ZSTD(1)),
    venue_time        DateTime64(9, 'UTC')        COMMENT 'venue time, as fine as the venue states it' CODEC(Delta, ZSTD(1)),
    provenance        LowCardinality(String)      COMMENT 'archive' CODEC(ZSTD(1)),
    inserted_at       DateTime64(3, 'UTC')        DEFAULT now64(3, 'UTC') COMMENT 'when this row was written' CODEC(Delta, ZSTD(1)),
    INDEX by_time timestamp TYPE minmax GRANULARITY 1
)
ENGINE = {{engine}}ReplacingMergeTree(inserted_at)
PARTITION BY toDate(timestamp)
ORDER BY (exchange, symbol, id);

CREATE VIEW IF NOT EXISTS md_agg_trades {{cluster}} AS
SELECT * FROM md_agg_trades_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE TABLE IF NOT EXISTS md_book_depth_history_store {{cluster}}
(
    exchange          LowCardinality(String)      COMMENT 'venue id' CODEC(ZSTD(1)),
    symbol            LowCardinality(String)      COMMENT 'canonical symbol: BTC-USDT, BTC-USDT-PERP' CODEC(ZSTD(1)),
    timestamp         DateTime64(3, 'UTC')        COMMENT 'venue time, by the second' CODEC(Delta, ZSTD(1)),
    percentage        Float64                     COMMENT 'distance from the price: below zero bids, above asks' CODEC(ZSTD(1)),
    depth             Float64                     COMMENT 'all that is offered up to there, base units' CODEC(ZSTD(1)),
    notional          Float64                     COMMENT 'the same in quote units' CODEC(ZSTD(1)),
    provenance        LowCardinality(String)      COMMENT 'archive' CODEC(ZSTD(1)),
    inserted_at       DateTime64(3, 'UTC')        DEFAULT now64(3, 'UTC') COMMENT 'when this row was written' CODEC(Delta, ZSTD(1))
)
ENGINE = {{engine}}ReplacingMergeTree(inserted_at)
PARTITION BY toYYYYMM(timestamp)
ORDER BY (exchange, symbol, timestamp, percentage);

CREATE VIEW IF NOT EXISTS md_book_depth_history {{cluster}} AS
SELECT * FROM md_book_depth_history_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

-- A file is named here once all of its rows are stored: a run that died goes on with the next.
CREATE TABLE IF NOT EXISTS md_history_files_store {{cluster}}
(
    exchange          LowCardinality(String)      COMMENT 'venue id' CODEC(ZSTD(1)),
    symbol            LowCardinality(String)      COMMENT 'canonical symbol' CODEC(ZSTD(1)),
    target            LowCardinality(String)      COMMENT 'table that its rows are in' CODEC(ZSTD(1)),
    path              String                      COMMENT 'below the venue''s base address' CODEC(ZSTD(1)),
    sha256            String                      COMMENT 'of the zip, as published and as proven' CODEC(ZSTD(1)),
    rows              UInt64                      COMMENT 'all of its rows' CODEC(ZSTD(1)),
    days              Map(String, UInt64)         COMMENT 'rows by day' CODEC(ZSTD(1)),
    loaded_at         DateTime64(3, 'UTC')        DEFAULT now64(3, 'UTC') COMMENT 'when all were stored' CODEC(Delta, ZSTD(1))
)
ENGINE = {{engine}}ReplacingMergeTree(loaded_at)
ORDER BY (exchange, symbol, target, path);

CREATE VIEW IF NOT EXISTS md_history_files {{cluster}} AS
SELECT * FROM md_history_files_store FINAL;
