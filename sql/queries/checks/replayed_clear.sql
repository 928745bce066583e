ALTER TABLE md_replayed DROP PARTITION {partition:UInt32}
