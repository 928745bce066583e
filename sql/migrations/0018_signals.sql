-- What was found, where and how late, in columns of their own; a finding that was published twice is one row.
ALTER TABLE md_signals_store {{cluster}}
    ADD COLUMN IF NOT EXISTS id String COMMENT 'the same for the same finding, however often it is published' CODEC(ZSTD(1)) AFTER signal,
    ADD COLUMN IF NOT EXISTS exchanges Array(LowCardinality(String)) COMMENT 'venue ids of all that took part' CODEC(ZSTD(1)) AFTER id,
    ADD COLUMN IF NOT EXISTS direction LowCardinality(String) COMMENT 'up, down, buy, sell, bid, ask; empty where there is none' CODEC(ZSTD(1)) AFTER exchanges,
    ADD COLUMN IF NOT EXISTS threshold Nullable(Float64) COMMENT 'what the value had to reach' CODEC(ZSTD(1)) AFTER value,
    ADD COLUMN IF NOT EXISTS unit LowCardinality(String) COMMENT 'of value and threshold: %, bps, x, orders, sd, share' CODEC(ZSTD(1)) AFTER threshold,
    ADD COLUMN IF NOT EXISTS evidence String COMMENT 'what the value was computed from, JSON' CODEC(ZSTD(1)) AFTER unit,
    ADD COLUMN IF NOT EXISTS received_at Nullable(DateTime64(9, 'UTC')) COMMENT 'when we received what completed it' CODEC(ZSTD(1)) AFTER timestamp,
    ADD COLUMN IF NOT EXISTS found_at Nullable(DateTime64(9, 'UTC')) COMMENT 'when the engine found it' CODEC(ZSTD(1)) AFTER received_at,
    ADD COLUMN IF NOT EXISTS latency_venue_ms Nullable(Float64) COMMENT 'from venue time until it was found' CODEC(ZSTD(1)) AFTER found_at,
    ADD COLUMN IF NOT EXISTS latency_received_ms Nullable(Float64) COMMENT 'from receiving until it was found' CODEC(ZSTD(1)) AFTER latency_venue_ms;

CREATE OR REPLACE VIEW md_signals {{cluster}} AS
SELECT * FROM md_signals_store FINAL
LIMIT 1 BY exchange, symbol, signal, timestamp, if(id = '', (_topic, _partition, toString(_offset)), (id, 0, ''))
SETTINGS do_not_merge_across_partitions_select_final = 1;
