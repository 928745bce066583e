-- More of what venues publish about the past. Sums of open interest and ratios of long to short, each five minutes; funding
-- as it was paid; best bid and ask in md_quotes, beside those collected live.
CREATE TABLE IF NOT EXISTS md_open_interest_history_store {{cluster}}
(
    exchange          LowCardinality(String)      COMMENT 'venue id' CODEC(ZSTD(1)),
    symbol            LowCardinality(String)      COMMENT 'canonical symbol: BTC-USDT-PERP, BTC-USD-20261225' CODEC(ZSTD(1)),
    timestamp         DateTime64(3, 'UTC')        COMMENT 'venue time' CODEC(Delta, ZSTD(1)),
    open_interest     Nullable(Float64)           COMMENT 'open contracts in base units, of one side' CODEC(ZSTD(1)),
    open_interest_value Nullable(Float64)         COMMENT 'in quote units' CODEC(ZSTD(1)),
    raw_open_interest Nullable(Float64)           COMMENT 'as the venue states it, where it counts contracts; else NULL' CODEC(ZSTD(1)),
    top_trader_account_ratio Nullable(Float64)    COMMENT 'of the top traders: accounts that are long / accounts that are short' CODEC(ZSTD(1)),
    top_trader_position_ratio Nullable(Float64)   COMMENT 'of the top traders: long positions / short positions' CODEC(ZSTD(1)),
    account_ratio     Nullable(Float64)           COMMENT 'accounts that are long / accounts that are short' CODEC(ZSTD(1)),
    taker_volume_ratio Nullable(Float64)          COMMENT 'bought by takers / sold by takers' CODEC(ZSTD(1)),
    provenance        LowCardinality(String)      COMMENT 'archive' CODEC(ZSTD(1)),
    inserted_at       DateTime64(3, 'UTC')        DEFAULT now64(3, 'UTC') COMMENT 'when this row was written' CODEC(Delta, ZSTD(1))
)
ENGINE = {{engine}}ReplacingMergeTree(inserted_at)
PARTITION BY toYYYYMM(timestamp)
ORDER BY (exchange, symbol, timestamp);

CREATE VIEW IF NOT EXISTS md_open_interest_history {{cluster}} AS
SELECT * FROM md_open_interest_history_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE TABLE IF NOT EXISTS md_funding_history_store {{cluster}}
(
    exchange          LowCardinality(String)      COMMENT 'venue id' CODEC(ZSTD(1)),
    symbol            LowCardinality(String)      COMMENT 'canonical symbol: BTC-USDT-PERP' CODEC(ZSTD(1)),
    timestamp         DateTime64(3, 'UTC')        COMMENT 'when it was paid, venue time' CODEC(Delta, ZSTD(1)),
    rate              Float64                     COMMENT 'fraction that was paid' CODEC(ZSTD(1)),
    interval_hours    UInt8                       COMMENT 'hours since the payment before, as the venue states them' CODEC(ZSTD(1)),
    provenance        LowCardinality(String)      COMMENT 'archive' CODEC(ZSTD(1)),
    inserted_at       DateTime64(3, 'UTC')        DEFAULT now64(3, 'UTC') COMMENT 'when this row was written' CODEC(Delta, ZSTD(1))
)
ENGINE = {{engine}}ReplacingMergeTree(inserted_at)
PARTITION BY toYYYYMM(timestamp)
ORDER BY (exchange, symbol, timestamp);

CREATE VIEW IF NOT EXISTS md_funding_history {{cluster}} AS
SELECT * FROM md_funding_history_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

ALTER TABLE md_quotes_store {{cluster}}
    ADD COLUMN IF NOT EXISTS provenance LowCardinality(String) DEFAULT 'live' COMMENT 'live or archive' CODEC(ZSTD(1)) AFTER received_at;

CREATE OR REPLACE VIEW md_quotes {{cluster}} AS
SELECT * FROM md_quotes_store FINAL
WHERE NOT shadow
SETTINGS do_not_merge_across_partitions_select_final = 1;

-- Of a trade that was collected and is in an archive too, md_trades keeps what was collected. What the archive says of it
-- stays here for as long as the two are compared.
CREATE TABLE IF NOT EXISTS md_trades_archived_store {{cluster}}
(
    exchange          LowCardinality(String)      COMMENT 'venue id' CODEC(ZSTD(1)),
    symbol            LowCardinality(String)      COMMENT 'canonical symbol: BTC-USDT, BTC-USDT-PERP' CODEC(ZSTD(1)),
    id                String                      COMMENT 'the venue''s id' CODEC(ZSTD(1)),
    price             Float64                     COMMENT 'in quote units' CODEC(ZSTD(1)),
    qty               Float64                     COMMENT 'in base units' CODEC(ZSTD(1)),
    side              LowCardinality(String)      COMMENT 'buy or sell: the taker''s side' CODEC(ZSTD(1)),
    timestamp         DateTime64(3, 'UTC')        COMMENT 'venue time' CODEC(Delta, ZSTD(1)),
    inserted_at       DateTime64(3, 'UTC')        COMMENT 'when this row was written' CODEC(Delta, ZSTD(1))
)
ENGINE = {{engine}}ReplacingMergeTree(inserted_at)
PARTITION BY toDate(timestamp)
ORDER BY (exchange, symbol, id, timestamp)
TTL toDateTime(inserted_at) + INTERVAL 30 DAY
AS
SELECT exchange, symbol, id, price, qty, side, timestamp, inserted_at
FROM md_trades_store
WHERE provenance = 'archive';

CREATE VIEW IF NOT EXISTS md_trades_archived {{cluster}} AS
SELECT * FROM md_trades_archived_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS md_trades_archived_loaded {{cluster}} TO md_trades_archived_store AS
SELECT exchange, symbol, id, price, qty, side, timestamp, now64(3, 'UTC') AS inserted_at
FROM md_trades_store
WHERE provenance = 'archive';
