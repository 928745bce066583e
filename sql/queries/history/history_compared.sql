-- Of which symbols a day's trades were both collected and loaded from an archive, and how many of each.
WITH {day:Date} AS this_day, toDateTime64(this_day, 3, 'UTC') AS starts, starts + INTERVAL 1 DAY AS ends
SELECT exchange, symbol, collected, archived
FROM
(
    SELECT exchange, symbol, count() AS archived
    FROM md_trades_archived
    WHERE timestamp >= starts AND timestamp < ends
    GROUP BY exchange, symbol
) AS those
INNER JOIN
(
    SELECT exchange, symbol, count() AS collected
    FROM md_trades
    WHERE timestamp >= starts AND timestamp < ends AND provenance != 'archive'
    GROUP BY exchange, symbol
) AS these USING (exchange, symbol)
ORDER BY exchange, symbol
