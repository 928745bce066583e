-- What could not be understood, verbatim: frames refused by a collector (from their topic) and messages refused by this
-- warehouse (then _topic, _partition and _offset are those of the refused message). received_at is in the key because
-- offsets begin again when a topic is created anew.
CREATE TABLE IF NOT EXISTS md_dead_letter_store {{cluster}}
(
    exchange          LowCardinality(String)      COMMENT 'venue id; empty where the message does not say' CODEC(ZSTD(1)),
    reason            LowCardinality(String)      COMMENT 'short word for counting; unreadable_message, incomplete_message: refused here' CODEC(ZSTD(1)),
    error             String                      COMMENT 'what was wrong' CODEC(ZSTD(1)),
    frame             String                      COMMENT 'the frame or message, verbatim' CODEC(ZSTD(1)),
    encoding          LowCardinality(String)      COMMENT 'base64 when the frame was not UTF-8, else empty' CODEC(ZSTD(1)),
    conn              String                      COMMENT 'connection of the collector' CODEC(ZSTD(1)),
    timestamp         DateTime64(3, 'UTC')        COMMENT 'received_at in ms' CODEC(Delta, ZSTD(1)),
    received_at       DateTime64(9, 'UTC')        COMMENT 'when the collector received it; when the broker did, for messages refused here' CODEC(Delta, ZSTD(1)),
    _topic            LowCardinality(String)      COMMENT 'Kafka topic of the message' CODEC(ZSTD(1)),
    _partition        UInt32                      COMMENT 'Kafka partition of the message' CODEC(ZSTD(1)),
    _offset           UInt64                      COMMENT 'Kafka offset of the message' CODEC(Delta, ZSTD(1)),
    inserted_at       DateTime64(3, 'UTC')        DEFAULT now64(3, 'UTC') COMMENT 'when this row was written' CODEC(Delta, ZSTD(1))
)
ENGINE = {{engine}}ReplacingMergeTree
PARTITION BY toYYYYMM(timestamp)
ORDER BY (_topic, _partition, _offset, received_at);

CREATE VIEW IF NOT EXISTS md_dead_letter {{cluster}} AS
SELECT * FROM md_dead_letter_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
