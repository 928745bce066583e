-- How many book updates of each venue have arrived: the first sign of life.
SELECT exchange, count() AS rows
FROM md_top_of_book
GROUP BY exchange
ORDER BY exchange;
