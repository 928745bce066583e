-- Signals differ in what they say: what all share is in columns, the whole message in `message`.
CREATE TABLE IF NOT EXISTS md_signals_store {{cluster}}
(
    exchange          LowCardinality(String)      COMMENT 'venue id' CODEC(ZSTD(1)),
    symbol            LowCardinality(String)      COMMENT 'canonical symbol: BTC-USDT, BTC-USDT-PERP' CODEC(ZSTD(1)),
    signal            LowCardinality(String)      COMMENT 'name of the signal' CODEC(ZSTD(1)),
    value             Nullable(Float64)           COMMENT 'its strength, where it is one number' CODEC(ZSTD(1)),
    timestamp         DateTime64(3, 'UTC')        COMMENT 'when it was found, venue time' CODEC(Delta, ZSTD(1)),
    message           String                      COMMENT 'the whole message, JSON' CODEC(ZSTD(1)),
    _topic            LowCardinality(String)      COMMENT 'Kafka topic of the message' CODEC(ZSTD(1)),
    _partition        UInt32                      COMMENT 'Kafka partition of the message' CODEC(ZSTD(1)),
    _offset           UInt64                      COMMENT 'Kafka offset of the message' CODEC(Delta, ZSTD(1)),
    inserted_at       DateTime64(3, 'UTC')        DEFAULT now64(3, 'UTC') COMMENT 'when this row was written' CODEC(Delta, ZSTD(1))
)
ENGINE = {{engine}}ReplacingMergeTree
PARTITION BY toYYYYMM(timestamp)
ORDER BY (exchange, symbol, signal, timestamp, _topic, _partition, _offset);

CREATE VIEW IF NOT EXISTS md_signals {{cluster}} AS
SELECT * FROM md_signals_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
