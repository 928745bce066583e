-- Minutes in which a venue's mid is more than 1 % away from the median of all venues with the symbol: a mix-up of
-- instruments, a wrong multiplier, a market that stands still. Of two venues alone, both are named: one of them is right.
WITH
    toDateTime64({hour:DateTime('UTC')}, 3, 'UTC') AS starts,
    mids AS
    (
        SELECT exchange, symbol, toStartOfMinute(timestamp) AS minute, quantileExact(0.5)(assumeNotNull(mid)) AS venue_mid
        FROM md_top_of_book
        WHERE timestamp >= starts AND timestamp < starts + INTERVAL 1 HOUR AND isNotNull(mid)
        GROUP BY exchange, symbol, minute
    ),
    compared AS
    (
        SELECT
            *, count() OVER same AS venues,
            quantileExactInclusive(0.5)(venue_mid) OVER same AS median_mid
        FROM mids
        WINDOW same AS (PARTITION BY symbol, minute)
    )
SELECT
    exchange, symbol, minute, venue_mid, median_mid, venues, round(10000 * (venue_mid / median_mid - 1), 1) AS bps,
    count() OVER () AS bad_rows
FROM compared
WHERE venues > 1 AND abs(bps) > 100
ORDER BY exchange, symbol, minute
LIMIT {limit:UInt64}
