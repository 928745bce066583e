-- Of which symbols a day's trades, open interest or payments of funding were both collected and loaded from an archive, and
-- how many of each.
WITH {day:Date} AS this_day, toDateTime64(this_day, 3, 'UTC') AS starts, starts + INTERVAL 1 DAY AS ends
SELECT exchange, symbol, of, sum(is_collected) AS collected, sum(is_archived) AS archived
FROM
(
    SELECT exchange, symbol, '' AS of, false AS is_collected, true AS is_archived
    FROM md_trades_archived
    WHERE timestamp >= starts AND timestamp < ends
    UNION ALL
    SELECT exchange, symbol, '' AS of, true AS is_collected, false AS is_archived
    FROM md_trades
    WHERE timestamp >= starts AND timestamp < ends AND provenance != 'archive'
    UNION ALL
    SELECT exchange, symbol, ', open interest' AS of, true AS is_collected, false AS is_archived
    FROM md_open_interest
    WHERE timestamp >= starts AND timestamp < ends
    UNION ALL
    SELECT exchange, symbol, ', open interest' AS of, false AS is_collected, true AS is_archived
    FROM md_open_interest_history
    WHERE timestamp >= starts AND timestamp < ends AND open_interest IS NOT NULL
    UNION ALL
    SELECT exchange, symbol, ', funding' AS of, isNotNull(stated_rate) AS is_collected, provenance = 'archive' AS is_archived
    FROM md_funding_paid
    WHERE paid_at >= starts AND paid_at < ends
)
GROUP BY exchange, symbol, of
HAVING collected > 0 AND archived > 0
ORDER BY exchange, symbol, of
