-- How many rows of the hour each dataset has, by venue. A venue with any has an hour that can be archived.
SELECT dataset, venue AS exchange, rows
FROM
(
    SELECT 'top_of_book' AS dataset, toString(exchange) AS venue, count() AS rows
    {{include archived_rows table=md_top_of_book}} GROUP BY exchange
    UNION ALL
    SELECT 'spreads', toString(exchange), count() {{include archived_spreads}} GROUP BY exchange
    UNION ALL
    SELECT 'statuses', toString(exchange), count() {{include archived_statuses}} GROUP BY exchange
    {{each archived hour_exchange}}
)
ORDER BY dataset, exchange
