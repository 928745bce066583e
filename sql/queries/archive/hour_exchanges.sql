-- Which datasets have rows of the hour, by venue. A venue with any has an hour that can be archived.
SELECT DISTINCT dataset, exchange
FROM
(
    SELECT 'top_of_book' AS dataset, toString(exchange) AS exchange {{include archived_rows table=md_top_of_book}}
    UNION ALL
    SELECT 'spreads', toString(exchange) {{include archived_spreads}}
    UNION ALL
    SELECT 'statuses', toString(exchange) {{include archived_statuses}}
    {{each archived hour_exchange}}
)
ORDER BY dataset, exchange
