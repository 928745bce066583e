SELECT count() AS rows
FROM md_top_of_book_minute
WHERE minute >= {hour:DateTime('UTC')} AND minute < {hour:DateTime('UTC')} + INTERVAL 1 HOUR
