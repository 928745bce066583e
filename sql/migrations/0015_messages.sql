-- Which message became which row: what was read from the topics can be held against what is in the tables, even after
-- two messages of one update have become one row. Kept for a fortnight; 5 bytes a message.
-- Its views hang on the tables, not on the streams: they note a row however it came, and must not miss any.
CREATE TABLE IF NOT EXISTS md_messages_store {{cluster}}
(
    _topic            LowCardinality(String)      COMMENT 'Kafka topic' CODEC(ZSTD(1)),
    _partition        UInt32                      COMMENT 'Kafka partition' CODEC(ZSTD(1)),
    _offset           UInt64                      COMMENT 'Kafka offset' CODEC(Delta, ZSTD(1)),
    dataset           LowCardinality(String)      COMMENT 'books or trades' CODEC(ZSTD(1)),
    exchange          LowCardinality(String)      COMMENT 'venue id' CODEC(ZSTD(1)),
    symbol            LowCardinality(String)      COMMENT 'canonical symbol' CODEC(ZSTD(1)),
    timestamp         DateTime64(3, 'UTC')        COMMENT 'venue time of its row' CODEC(Delta, ZSTD(1)),
    key               UInt32                      COMMENT 'low half of sipHash64 of exchange, symbol, and sequence or id' CODEC(ZSTD(1)),
    inserted_at       DateTime('UTC')             DEFAULT now('UTC') COMMENT 'when it was noted' CODEC(Delta, ZSTD(1)),
    INDEX by_time timestamp TYPE minmax GRANULARITY 1
)
ENGINE = {{engine}}ReplacingMergeTree
PARTITION BY toDate(timestamp)
ORDER BY (_topic, _partition, _offset, key)
TTL inserted_at + INTERVAL 14 DAY;

CREATE VIEW IF NOT EXISTS md_messages {{cluster}} AS
SELECT * FROM md_messages_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS md_orderbook_depth_messages {{cluster}} TO md_messages_store AS
SELECT
    _topic, _partition, _offset, 'books' AS dataset, exchange, symbol, timestamp,
    toUInt32(sipHash64(toString(exchange), toString(symbol), toString(sequence))) AS key
FROM md_orderbook_depth_store
WHERE _topic != '';

CREATE MATERIALIZED VIEW IF NOT EXISTS md_trades_messages {{cluster}} TO md_messages_store AS
SELECT
    _topic, _partition, _offset, 'trades' AS dataset, exchange, symbol, timestamp,
    toUInt32(sipHash64(toString(exchange), toString(symbol), id)) AS key
FROM md_trades_store
WHERE _topic != '';

-- A gap whose end is not known is prevented only as far as it is known to go on beside a proof, not where that ends.
CREATE OR REPLACE VIEW md_feed_gaps {{cluster}} AS
SELECT
    status.exchange AS exchange, status.symbol AS symbol, status.channel AS channel, collector, state, cause,
    started_at, ended_at, started_ns, ended_ns, first_sequence, last_sequence, missed,
    proven.valid_from_ns > 0 AND if(
        isNull(ended_ns), status.starts < proven.valid_to_ns, toInt64(assumeNotNull(ended_ns)) <= proven.valid_to_ns
    ) AS prevented
FROM (SELECT *, toInt64(started_ns) AS starts FROM md_feed_status WHERE state != 'valid') AS status
ASOF LEFT JOIN md_feed_proven AS proven
    ON status.exchange = proven.exchange AND status.symbol = proven.symbol AND status.channel = proven.channel
    AND status.starts >= proven.valid_from_ns;
