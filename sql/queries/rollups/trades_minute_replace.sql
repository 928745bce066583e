ALTER TABLE md_trades_minute_store REPLACE PARTITION {partition:UInt32} FROM md_trades_minute_staging
