ALTER TABLE md_spread_hourly_store REPLACE PARTITION {partition:UInt32} FROM md_spread_hourly_staging
