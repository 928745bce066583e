-- Hours that rows of any archived dataset were stored into since a moment, by venue, with the last time.
-- A book holds until the next one: the last book of an hour reopens the hour after it as well, which begins with it.
-- Of the statuses those count that change an hour: one that is new, and one whose missing trades were filled in later.
-- One that lasts is stated again every few seconds, and that is no news of the hour in which it began.
WITH
    late_books AS
    (
        SELECT exchange, symbol, timestamp, inserted_at FROM md_orderbook_depth_store
        WHERE inserted_at > {since:DateTime64(3, 'UTC')} AND NOT shadow
    ),
    carried AS
    (
        SELECT exchange, symbol, toStartOfHour(timestamp, 'UTC') AS hour, max(timestamp) AS last_late, max(inserted_at) AS at
        FROM late_books
        WHERE timestamp < toStartOfHour(now('UTC'), 'UTC')
        GROUP BY exchange, symbol, hour
    ),
    last_of_hour AS
    (
        SELECT exchange, symbol, toStartOfHour(timestamp, 'UTC') AS hour, max(timestamp) AS last_time
        FROM md_orderbook_depth_store
        WHERE timestamp >= (SELECT min(hour) FROM carried) AND timestamp < (SELECT max(hour) FROM carried) + INTERVAL 1 HOUR
            AND (exchange, symbol) IN (SELECT exchange, symbol FROM carried)
        GROUP BY exchange, symbol, hour
    )
SELECT toString(exchange) AS exchange, toStartOfHour(timestamp, 'UTC') AS hour, max(inserted_at) AS last_inserted_at, count() AS rows
FROM
(
    SELECT carried.exchange AS exchange, carried.hour + INTERVAL 1 HOUR AS timestamp, carried.at AS inserted_at
    FROM carried
    INNER JOIN last_of_hour AS known
        ON carried.exchange = known.exchange AND carried.symbol = known.symbol AND carried.hour = known.hour
    WHERE carried.last_late >= known.last_time
    {{each archived late_rows}}
    UNION ALL
    SELECT exchange, started_at, inserted_at FROM md_feed_status_store
    WHERE inserted_at > {since:DateTime64(3, 'UTC')} AND (ended_at IS NULL OR missed = 0)
)
GROUP BY exchange, hour
ORDER BY hour, exchange
