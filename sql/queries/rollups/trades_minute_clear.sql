ALTER TABLE md_trades_minute_staging DROP PARTITION {partition:UInt32}
