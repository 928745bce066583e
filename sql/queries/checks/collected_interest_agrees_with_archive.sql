-- Open interest of a day of which the archive states more than what was collected around it, or less: by more than
-- 1 %, as it goes on changing in between. Compared is each archived row with all that was collected within two and a half minutes of it.
WITH
    0.01 AS share, {day:Date} AS this_day, toDateTime64(this_day, 3, 'UTC') AS starts, starts + INTERVAL 1 DAY AS ends,
    collected AS
    (
        SELECT
            exchange, symbol, toStartOfInterval(timestamp + INTERVAL 150 SECOND, INTERVAL 5 MINUTE) AS near,
            min(open_interest) AS least_collected, max(open_interest) AS most_collected
        FROM md_open_interest
        WHERE timestamp >= starts - INTERVAL 150 SECOND AND timestamp < ends + INTERVAL 150 SECOND
        GROUP BY exchange, symbol, near
    ),
    archived AS
    (
        SELECT
            exchange, symbol, timestamp AS at, assumeNotNull(open_interest) AS archived_interest,
            toStartOfInterval(timestamp + INTERVAL 150 SECOND, INTERVAL 5 MINUTE) AS near
        FROM md_open_interest_history
        WHERE timestamp >= starts AND timestamp < ends AND open_interest IS NOT NULL
    )
SELECT
    exchange, symbol, at, 'open interest' AS difference, least_collected, most_collected, archived_interest,
    count() OVER () AS bad_rows
FROM archived
INNER JOIN collected USING (exchange, symbol, near)
WHERE archived_interest < least_collected * (1 - share) OR archived_interest > most_collected * (1 + share)
ORDER BY exchange, symbol, at
LIMIT {limit:UInt64}
