-- Trades of a day in which what was collected and what the venue's archive says differ, from the first to the last trade
-- that was collected: what is in one only, and what has another price, size or side. ``proven``: the feed was proven then, as
-- the collectors' clocks say. Sizes are decimals as floats, those of inverse contracts are rounded. Where a collected row
-- stands for several matches, those are in it, and its size is theirs.
WITH
    {day:Date} AS this_day, toDateTime64(this_day, 3, 'UTC') AS starts, starts + INTERVAL 1 DAY AS ends,
    archived AS
    (
        SELECT exchange, symbol, id, price, qty, side, timestamp, true AS is_archived
        FROM md_trades_archived
        WHERE timestamp >= starts AND timestamp < ends
    ),
    collected AS
    (
        SELECT
            exchange, symbol, id, price, qty, side, timestamp, true AS is_collected,
            ifNull(count, 1) AS matches, toUInt64OrZero(id) AS last, toUInt64OrZero(ifNull(first_id, '')) AS first
        FROM md_trades
        WHERE timestamp >= starts AND timestamp < ends AND provenance != 'archive'
            AND (exchange, symbol) IN (SELECT exchange, symbol FROM archived)
    ),
    spans AS
    (
        SELECT exchange, symbol, min(timestamp) AS begins, max(timestamp) AS stops
        FROM collected
        GROUP BY exchange, symbol
    ),
    compared AS
    (
        SELECT
            exchange, symbol, id, if(is_archived, a.timestamp, c.timestamp) AS at,
            multiIf(
                NOT is_collected, 'not collected', NOT is_archived, 'not in the archive',
                a.price != c.price, 'price', c.matches = 1 AND abs(a.qty - c.qty) > 1e-9 * a.qty, 'size', a.side != c.side, 'side', ''
            ) AS difference,
            if(is_collected, c.price, NULL) AS collected_price, if(is_archived, a.price, NULL) AS archived_price,
            if(is_collected, c.qty, NULL) AS collected_size, if(is_archived, a.qty, NULL) AS archived_size,
            if(is_collected, toString(c.side), NULL) AS collected_side, if(is_archived, toString(a.side), NULL) AS archived_side
        FROM archived AS a
        FULL JOIN collected AS c USING (exchange, symbol, id)
    ),
    differing AS
    (
        SELECT
            compared.*, toUInt64OrZero(id) AS number, toUnixTimestamp64Nano(toDateTime64(at, 9, 'UTC')) AS at_ns
        FROM compared
        INNER JOIN spans USING (exchange, symbol)
        WHERE difference != '' AND at >= begins AND at <= stops
    ),
    alone AS
    (
        SELECT differing.*
        FROM differing
        ASOF LEFT JOIN (SELECT exchange, symbol, first, last FROM collected WHERE matches > 1) AS several
            ON differing.exchange = several.exchange AND differing.symbol = several.symbol AND differing.number <= several.last
        WHERE difference != 'not collected' OR several.first = 0 OR number < several.first
    ),
    proofs AS
    (
        SELECT exchange, symbol, valid_from_ns, valid_to_ns
        FROM md_feed_proven
        WHERE channel = 'trades'
    )
SELECT
    exchange, symbol, id, at, difference, collected_price, archived_price, collected_size, archived_size,
    collected_side, archived_side, at_ns < valid_to_ns AS proven, count() OVER () AS bad_rows
FROM alone
ASOF LEFT JOIN proofs
    ON alone.exchange = proofs.exchange AND alone.symbol = proofs.symbol AND alone.at_ns >= proofs.valid_from_ns
ORDER BY exchange, symbol, at, id
LIMIT {limit:UInt64}
