-- Instruments as venues listed them at a time, by a name: the base asset, or the canonical symbol or the venue's own name,
-- whole or its first parts. A list is repeated hourly: what is missing from three in a row is gone. collected: the channels
-- that ever were proven, since when, and until when that is known.
WITH toDateTime64({at:String}, 3, 'UTC') AS asked
SELECT
    toString(listed.exchange) AS exchange, listed.symbol AS symbol, listed.venue_symbol AS venue_symbol,
    listed.category AS category, toString(listed.kind) AS kind, toString(listed.base) AS base, toString(listed.quote) AS quote,
    listed.tick AS tick, listed.step AS step, listed.contract_size AS contract_size, listed.multiplier AS multiplier,
    listed.inverse AS inverse, listed.settle AS settle, listed.status AS status, listed.expiry AS expiry,
    listed.strike AS strike, listed.option_kind AS option_kind, listed.alias_of AS alias_of,
    listed.underlying AS underlying, listed.asset_class AS asset_class, listed.valid_from AS valid_from,
    seen.first AS listed_since, seen.last AS last_listed, seen.last < least(latest.last, asked) - INTERVAL 3 HOUR AS is_gone,
    arraySort(collected.channels) AS channels, collected.since AS collected_since, collected.until AS collected_until
FROM
(
    SELECT *
    FROM md_instruments AS rows
    WHERE valid_from <= asked AND (valid_to IS NULL OR valid_to > asked)
        AND (empty({exchanges:Array(String)}) OR rows.exchange IN {exchanges:Array(String)})
        AND (empty({kinds:Array(String)}) OR rows.kind IN {kinds:Array(String)})
        AND (rows.base = {name:String} OR rows.symbol = {name:String} OR startsWith(rows.symbol, concat({name:String}, '-'))
            OR upper(rows.venue_symbol) = {name:String} OR startsWith(upper(rows.venue_symbol), concat({name:String}, '-'))
            OR upper(rows.alias_of) = {name:String})
) AS listed
LEFT JOIN
(
    SELECT exchange, symbol, min(first_seen_at) AS first, max(last_seen_at) AS last FROM md_instruments_store
    WHERE first_seen_at <= asked
    GROUP BY exchange, symbol
) AS seen ON listed.exchange = seen.exchange AND listed.symbol = seen.symbol
LEFT JOIN (SELECT exchange, max(last_seen_at) AS last FROM md_instruments_store GROUP BY exchange) AS latest
    ON listed.exchange = latest.exchange
LEFT JOIN
(
    SELECT
        exchange, symbol, groupUniqArray(toString(channel)) AS channels, min(started_at) AS since,
        max(ifNull(ended_at, started_at)) AS until
    FROM md_feed_status_store
    WHERE state = 'valid' AND started_at <= asked
    GROUP BY exchange, symbol
) AS collected ON listed.exchange = collected.exchange AND listed.symbol = collected.symbol
ORDER BY symbol, exchange, venue_symbol
