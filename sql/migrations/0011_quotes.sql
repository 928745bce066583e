-- Best bid and ask of the channels that send just them: faster than books, and without their proof.
CREATE TABLE IF NOT EXISTS md_quotes_store {{cluster}}
(
    exchange          LowCardinality(String)      COMMENT 'venue id' CODEC(ZSTD(1)),
    symbol            LowCardinality(String)      COMMENT 'canonical symbol: BTC-USDT, BTC-USDT-PERP' CODEC(ZSTD(1)),
    bid_price         Nullable(Float64)           COMMENT 'best bid; NULL while the side is empty' CODEC(ZSTD(1)),
    bid_size          Nullable(Float64)           COMMENT 'in base units' CODEC(ZSTD(1)),
    ask_price         Nullable(Float64)           COMMENT 'best ask; NULL while the side is empty' CODEC(ZSTD(1)),
    ask_size          Nullable(Float64)           COMMENT 'in base units' CODEC(ZSTD(1)),
    raw_bid_size      Nullable(Float64)           COMMENT 'as the venue sent it, where it quotes contracts' CODEC(ZSTD(1)),
    raw_ask_size      Nullable(Float64)           COMMENT 'as the venue sent it, where it quotes contracts' CODEC(ZSTD(1)),
    sequence          UInt64                      COMMENT 'the venue''s update id, or its time in us made to rise' CODEC(Delta, ZSTD(1)),
    timestamp         DateTime64(3, 'UTC')        COMMENT 'venue time; receive time where the venue sends none' CODEC(Delta, ZSTD(1)),
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

CREATE VIEW IF NOT EXISTS md_quotes {{cluster}} AS
SELECT * FROM md_quotes_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
