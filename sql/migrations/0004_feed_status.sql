-- What a feed was worth, interval by interval, on the collector's clock. An interval is stated again while it lasts;
-- the statement that reaches furthest holds.
CREATE TABLE IF NOT EXISTS md_feed_status_store {{cluster}}
(
    exchange          LowCardinality(String)      COMMENT 'venue id' CODEC(ZSTD(1)),
    symbol            LowCardinality(String)      COMMENT 'canonical symbol: BTC-USDT, BTC-USDT-PERP' CODEC(ZSTD(1)),
    channel           LowCardinality(String)      COMMENT 'book, trades, ...' CODEC(ZSTD(1)),
    state             LowCardinality(String)      COMMENT 'valid, gap, resync, stale or down' CODEC(ZSTD(1)),
    cause             String                      COMMENT 'why the interval began' CODEC(ZSTD(1)),
    started_at        DateTime64(9, 'UTC')        COMMENT 'begin, receive time' CODEC(Delta, ZSTD(1)),
    ended_at          Nullable(DateTime64(9, 'UTC')) COMMENT 'known to hold until; NULL when only its begin is known' CODEC(Delta, ZSTD(1)),
    first_sequence    Nullable(UInt64)            COMMENT 'first update id of the interval' CODEC(ZSTD(1)),
    last_sequence     Nullable(UInt64)            COMMENT 'last update id of the interval' CODEC(ZSTD(1)),
    missed            Nullable(UInt64)            COMMENT 'updates known to be missing' CODEC(ZSTD(1)),
    started_ns        UInt64                      COMMENT 'started_at in ns since 1970' CODEC(Delta, ZSTD(1)),
    ended_ns          Nullable(UInt64)            COMMENT 'ended_at in ns since 1970' CODEC(Delta, ZSTD(1)),
    _topic            LowCardinality(String)      COMMENT 'Kafka topic of the message' CODEC(ZSTD(1)),
    _partition        UInt32                      COMMENT 'Kafka partition of the message' CODEC(ZSTD(1)),
    _offset           UInt64                      COMMENT 'Kafka offset of the message' CODEC(Delta, ZSTD(1)),
    inserted_at       DateTime64(3, 'UTC')        DEFAULT now64(3, 'UTC') COMMENT 'when this row was written' CODEC(Delta, ZSTD(1)),
    precedence        UInt64                      MATERIALIZED ifNull(ended_ns, 0) COMMENT 'the largest ended_ns is kept' CODEC(Delta, ZSTD(1))
)
ENGINE = {{engine}}ReplacingMergeTree(precedence)
PARTITION BY toYYYYMM(started_at)
ORDER BY (exchange, symbol, channel, started_ns, state);

CREATE VIEW IF NOT EXISTS md_feed_status {{cluster}} AS
SELECT * FROM md_feed_status_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
