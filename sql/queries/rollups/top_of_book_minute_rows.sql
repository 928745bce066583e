SELECT count() AS rows
FROM md_top_of_book_minute
WHERE minute >= {hour:DateTime('UTC')} AND minute < toDateTime64({hour:DateTime('UTC')}, 3, 'UTC') + INTERVAL 1 HOUR
