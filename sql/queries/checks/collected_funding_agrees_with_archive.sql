-- Payments of funding of a day in which what was collected and what the archive says differ: another rate (by more than
-- a millionth, where it was stated within a minute before the payment: it moves until then), and payments that only one of the two has, from the
-- first to the last that was collected. Only of symbols whose payments of the day are in the archive.
WITH
    {day:Date} AS this_day, toDateTime64(this_day, 3, 'UTC') AS starts, starts + INTERVAL 1 DAY AS ends,
    paid AS
    (
        SELECT exchange, symbol, paid_at, rate, stated_rate, stated_at, provenance = 'archive' AS is_archived
        FROM md_funding_paid
        WHERE paid_at >= starts AND paid_at < ends
    ),
    spans AS
    (
        SELECT exchange, symbol, minIf(paid_at, isNotNull(stated_rate)) AS first, maxIf(paid_at, isNotNull(stated_rate)) AS last
        FROM paid
        GROUP BY exchange, symbol
        HAVING countIf(is_archived) > 0 AND countIf(isNotNull(stated_rate)) > 0
    )
SELECT
    exchange, symbol, paid_at AS at,
    multiIf(isNull(stated_rate), 'not collected', NOT is_archived, 'not in the archive', 'rate') AS difference,
    stated_rate AS collected_rate, if(is_archived, rate, NULL) AS archived_rate, stated_at, count() OVER () AS bad_rows
FROM paid
INNER JOIN spans USING (exchange, symbol)
WHERE at >= first AND at <= last AND (
    isNull(stated_rate) OR NOT is_archived
    OR (abs(stated_rate - rate) > 1e-6 AND stated_at >= at - INTERVAL 1 MINUTE))
ORDER BY exchange, symbol, at
LIMIT {limit:UInt64}
