-- A frame with which its message would be larger than the broker takes is cut: its head is kept, and what all of it was.
ALTER TABLE md_dead_letter_store {{cluster}}
    ADD COLUMN IF NOT EXISTS frame_bytes UInt64 COMMENT 'length of a frame of which only the head is kept; 0: all of it is' CODEC(ZSTD(1)) AFTER conn,
    ADD COLUMN IF NOT EXISTS frame_sha256 String COMMENT 'SHA-256 of a frame of which only the head is kept, in hex; else empty' CODEC(ZSTD(1)) AFTER frame_bytes;

CREATE OR REPLACE VIEW md_dead_letter {{cluster}} AS
SELECT * FROM md_dead_letter_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
