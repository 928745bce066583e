-- Indices belong to no instrument; venues give their prices no id: the time is the identity. Of two about one time the newer one holds.
CREATE TABLE IF NOT EXISTS md_index_store {{cluster}}
(
    exchange          LowCardinality(String)      COMMENT 'venue id' CODEC(ZSTD(1)),
    symbol            LowCardinality(String)      COMMENT 'canonical symbol of the index: BTC-USD-INDEX, BTC-DVOL' CODEC(ZSTD(1)),
    price             Float64                     COMMENT 'of the index in quote units; of a volatility index in percent a year, as the venue states it' CODEC(ZSTD(1)),
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
PARTITION BY toYYYYMM(timestamp)
ORDER BY (exchange, symbol, venue_time);

CREATE VIEW IF NOT EXISTS md_index {{cluster}} AS
SELECT * FROM md_index_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
