-- Changes of books may come from a venue's archive; those have the time at which the venue sent them as time of receipt.
ALTER TABLE md_book_increments_store {{cluster}}
    ADD COLUMN IF NOT EXISTS provenance LowCardinality(String) DEFAULT 'live' COMMENT 'live or archive' CODEC(ZSTD(1)) AFTER received_at;

CREATE OR REPLACE VIEW md_book_increments {{cluster}} AS
SELECT * FROM md_book_increments_store FINAL
WHERE NOT shadow
SETTINGS do_not_merge_across_partitions_select_final = 1;
