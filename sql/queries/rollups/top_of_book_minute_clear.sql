ALTER TABLE md_top_of_book_minute_staging DROP PARTITION {partition:UInt32}
