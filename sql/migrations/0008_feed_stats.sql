-- Counters of each connection, cumulative since its collector started, one row a second.
CREATE TABLE IF NOT EXISTS md_feed_stats_store {{cluster}}
(
    exchange          LowCardinality(String)      COMMENT 'venue id' CODEC(ZSTD(1)),
    conn              LowCardinality(String)      COMMENT 'connection' CODEC(ZSTD(1)),
    timestamp         DateTime64(3, 'UTC')        COMMENT 'collector time' CODEC(Delta, ZSTD(1)),
    symbols           UInt32                      COMMENT 'symbols on the connection' CODEC(ZSTD(1)),
    frames            UInt64                      COMMENT 'frames received' CODEC(Delta, ZSTD(1)),
    bytes             UInt64                      COMMENT 'bytes received' CODEC(Delta, ZSTD(1)),
    events            UInt64                      COMMENT 'events made of them' CODEC(Delta, ZSTD(1)),
    reconnects        UInt64                      COMMENT 'connections opened again' CODEC(Delta, ZSTD(1)),
    gaps              UInt64                      COMMENT 'breaks in a sequence' CODEC(Delta, ZSTD(1)),
    dead_letters      UInt64                      COMMENT 'frames refused' CODEC(Delta, ZSTD(1)),
    published         UInt64                      COMMENT 'messages acknowledged by the broker' CODEC(Delta, ZSTD(1)),
    failed            UInt64                      COMMENT 'messages the broker refused for good' CODEC(Delta, ZSTD(1)),
    queue             UInt64                      COMMENT 'messages waiting for acknowledgement' CODEC(ZSTD(1)),
    paused_ms         UInt64                      COMMENT 'time for which sockets were not read because the queue was full' CODEC(Delta, ZSTD(1)),
    latency_p50_ms    Nullable(Float64)           COMMENT 'receive to broker acknowledgement over the last second, median' CODEC(ZSTD(1)),
    latency_p99_ms    Nullable(Float64)           COMMENT 'the same, 99th percentile' CODEC(ZSTD(1)),
    venue_lag_ms      Nullable(Float64)           COMMENT 'receive time minus venue time over the last second, median' CODEC(ZSTD(1)),
    _topic            LowCardinality(String)      COMMENT 'Kafka topic of the message' CODEC(ZSTD(1)),
    _partition        UInt32                      COMMENT 'Kafka partition of the message' CODEC(ZSTD(1)),
    _offset           UInt64                      COMMENT 'Kafka offset of the message' CODEC(Delta, ZSTD(1)),
    inserted_at       DateTime64(3, 'UTC')        DEFAULT now64(3, 'UTC') COMMENT 'when this row was written' CODEC(Delta, ZSTD(1))
)
ENGINE = {{engine}}ReplacingMergeTree
PARTITION BY toYYYYMM(timestamp)
ORDER BY (exchange, conn, timestamp);

CREATE VIEW IF NOT EXISTS md_feed_stats {{cluster}} AS
SELECT * FROM md_feed_stats_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
