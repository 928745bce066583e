ALTER TABLE md_spread_hourly_staging DROP PARTITION {partition:UInt32}
