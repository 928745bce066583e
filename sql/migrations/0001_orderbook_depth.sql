-- Books as published, one row an update. The key is the venue's identity of an update, so that a message read twice, a
-- restarted collector and a second one of the same feed collapse into one row. Time is not in the key: feeds without
-- venue time carry the receive time, which differs between two collectors. Time ranges are found by day and index.
-- Rows are unique within a UTC day: a venue that restarts its numbering on a later day overwrites nothing.
CREATE TABLE IF NOT EXISTS md_orderbook_depth_store {{cluster}}
(
    exchange          LowCardinality(String)      COMMENT 'venue id' CODEC(ZSTD(1)),
    symbol            LowCardinality(String)      COMMENT 'canonical symbol: BTC-USDT, BTC-USDT-PERP' CODEC(ZSTD(1)),
    b                 Array(Float64)              COMMENT 'bid prices, best first' CODEC(ZSTD(1)),
    bv                Array(Float64)              COMMENT 'bid sizes in base units' CODEC(ZSTD(1)),
    a                 Array(Float64)              COMMENT 'ask prices, best first' CODEC(ZSTD(1)),
    av                Array(Float64)              COMMENT 'ask sizes in base units' CODEC(ZSTD(1)),
    timestamp         DateTime64(3, 'UTC')        COMMENT 'venue time; receive time where the venue sends none' CODEC(Delta, ZSTD(1)),
    sequence          UInt64                      COMMENT 'the venue''s update id after this update' CODEC(Delta, ZSTD(1)),
    previous_sequence Nullable(UInt64)            COMMENT 'sequence of the update before; NULL where the chain starts' CODEC(Delta, ZSTD(1)),
    venue_time        DateTime64(9, 'UTC')        COMMENT 'venue time, as fine as the venue states it' CODEC(Delta, ZSTD(1)),
    received_at       DateTime64(9, 'UTC')        COMMENT 'when the collector received it' CODEC(Delta, ZSTD(1)),
    _topic            LowCardinality(String)      COMMENT 'Kafka topic of the message' CODEC(ZSTD(1)),
    _partition        UInt32                      COMMENT 'Kafka partition of the message' CODEC(ZSTD(1)),
    _offset           UInt64                      COMMENT 'Kafka offset of the message' CODEC(Delta, ZSTD(1)),
    inserted_at       DateTime64(3, 'UTC')        DEFAULT now64(3, 'UTC') COMMENT 'when this row was written' CODEC(Delta, ZSTD(1)),
    precedence        UInt64                      MATERIALIZED bitNot(toUInt64(toUnixTimestamp64Nano(received_at))) COMMENT 'of equal rows the first received is kept' CODEC(Delta, ZSTD(1)),
    INDEX by_time timestamp TYPE minmax GRANULARITY 1
)
ENGINE = {{engine}}ReplacingMergeTree(precedence)
PARTITION BY toDate(timestamp)
ORDER BY (exchange, symbol, sequence);

CREATE VIEW IF NOT EXISTS md_orderbook_depth {{cluster}} AS
SELECT * FROM md_orderbook_depth_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
