-- The best level of each book: narrow, for the frequent queries. Derived columns are computed when read.
CREATE TABLE IF NOT EXISTS md_top_of_book_store {{cluster}}
(
    exchange          LowCardinality(String)      COMMENT 'venue id' CODEC(ZSTD(1)),
    symbol            LowCardinality(String)      COMMENT 'canonical symbol: BTC-USDT, BTC-USDT-PERP' CODEC(ZSTD(1)),
    timestamp         DateTime64(3, 'UTC')        COMMENT 'venue time; receive time where the venue sends none' CODEC(Delta, ZSTD(1)),
    sequence          UInt64                      COMMENT 'the venue''s update id after this update' CODEC(Delta, ZSTD(1)),
    bid_price         Float64                     COMMENT 'best bid' CODEC(ZSTD(1)),
    bid_size          Float64                     COMMENT 'size at the best bid, base units' CODEC(ZSTD(1)),
    ask_price         Float64                     COMMENT 'best ask' CODEC(ZSTD(1)),
    ask_size          Float64                     COMMENT 'size at the best ask, base units' CODEC(ZSTD(1)),
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

CREATE VIEW IF NOT EXISTS md_top_of_book {{cluster}} AS
SELECT
    exchange, symbol, timestamp, sequence, bid_price, bid_size, ask_price, ask_size,
    (bid_price + ask_price) / 2 AS mid,
    ask_price - bid_price AS spread,
    10000 * (ask_price - bid_price) / ((bid_price + ask_price) / 2) AS spread_bps,
    (bid_size - ask_size) / (bid_size + ask_size) AS imbalance,
    venue_time, received_at, _topic, _partition, _offset, inserted_at
FROM md_top_of_book_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
