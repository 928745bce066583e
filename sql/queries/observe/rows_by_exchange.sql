-- How many book updates of each venue have been received since a time: the first sign of life.
SELECT exchange, count() AS rows
FROM md_top_of_book
WHERE received_at >= {since:DateTime64(3, 'UTC')}
GROUP BY exchange
ORDER BY exchange;
