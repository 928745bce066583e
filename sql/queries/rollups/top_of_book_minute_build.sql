-- One hour of md_top_of_book_minute into the staging table, in the manner of spread_hourly_build: a top is in force from
-- its venue time until the next one's, as far as the feed was proven, moved to venue time by the lag of the book itself;
-- the last one before the hour carries in; over each minute that it reaches it counts with the time it was in force there.
-- A top that lacks a side ends the spread of the one before: its time is covered, and has neither mid nor spread.
INSERT INTO md_top_of_book_minute_staging
(minute, exchange, symbol, updates, coverage, mid_open, mid_high, mid_low, mid_close, spread, spread_bps)
WITH
    toUnixTimestamp64Nano(toDateTime64({hour:DateTime('UTC')}, 9, 'UTC')) AS hour_starts,
    hour_starts + 3600000000000 AS hour_ends,
    60000000000 AS long,
    tops AS
    (
        SELECT
            exchange, symbol, sequence, bid_price, ask_price,
            toUnixTimestamp64Nano(venue_time) AS at,
            toUnixTimestamp64Nano(received_at) AS received
        FROM md_top_of_book
        WHERE timestamp >= {hour:DateTime('UTC')} - INTERVAL 1 HOUR
            AND timestamp < toDateTime64({hour:DateTime('UTC')}, 3, 'UTC') + INTERVAL 1 HOUR
    ),
    (
        SELECT minOrNull(toUnixTimestamp64Nano(received_at)) FROM md_top_of_book_store
        WHERE timestamp >= {hour:DateTime('UTC')} - INTERVAL 1 HOUR
            AND timestamp < toDateTime64({hour:DateTime('UTC')}, 3, 'UTC') + INTERVAL 1 HOUR
    ) AS first_received,
    valid AS
    (
        SELECT exchange, symbol, valid_from_ns AS valid_from, valid_to_ns AS valid_to
        FROM ({{include proven_since since=first_received}})
        WHERE channel = 'book'
    ),
    sequenced AS
    (
        SELECT
            tops.exchange AS exchange, tops.symbol AS symbol, sequence, bid_price, ask_price, at,
            if(valid_from > 0 AND received <= valid_to, at + (valid_to - received), 0) AS valid_to_at,
            leadInFrame(at, 1, hour_ends) OVER (
                PARTITION BY tops.exchange, tops.symbol ORDER BY at, sequence
                ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
            ) AS next_at
        FROM tops
        ASOF LEFT JOIN valid
            ON tops.exchange = valid.exchange AND tops.symbol = valid.symbol AND tops.received >= valid.valid_from
    ),
    spells AS
    (
        SELECT
            exchange, symbol, sequence, at, bid_price, ask_price,
            greatest(at, hour_starts) AS starts,
            greatest(least(next_at, hour_ends, valid_to_at), starts) AS ends,
            -- Every minute that it is in force in; its own one, where it is not proven.
            arrayJoin(range(
                toUInt64(intDiv(starts - hour_starts, long)),
                toUInt64(greatest(intDiv(ends - hour_starts + long - 1, long), intDiv(starts - hour_starts, long) + 1))
            )) AS place
        FROM sequenced
    ),
    weighed AS
    (
        SELECT
            exchange, symbol, place, hour_starts + toInt64(place) * long AS minute_starts,
            at >= minute_starts AND at < minute_starts + long AS in_minute,
            greatest(starts, minute_starts) AS begins,
            toUInt64(greatest(least(ends, minute_starts + long), begins) - begins) AS held,
            {{include mid bid=bid_price ask=ask_price}} AS mid, {{include spread bid=bid_price ask=ask_price}} AS gap,
            {{include spread_bps bid=bid_price ask=ask_price}} AS gap_bps,
            if(isNull(mid), 0, held) AS quoted
        FROM spells
        ORDER BY exchange, symbol, place, at, sequence
    )
SELECT
    {hour:DateTime('UTC')} + toIntervalMinute(place) AS minute, exchange, symbol,
    countIf(in_minute) AS updates,
    sum(held) / long AS coverage,
    argMinOrNullIf(mid, begins, quoted > 0) AS mid_open,
    maxOrNullIf(mid, quoted > 0) AS mid_high,
    minOrNullIf(mid, quoted > 0) AS mid_low,
    argMaxOrNullIf(mid, begins, quoted > 0) AS mid_close,
    sum(gap * quoted) / nullIf(sum(quoted), 0) AS spread,
    sum(gap_bps * quoted) / nullIf(sum(quoted), 0) AS spread_bps
FROM weighed
WHERE place < 60
GROUP BY place, exchange, symbol
HAVING updates > 0 OR sum(held) > 0
SETTINGS max_threads = 1, max_insert_threads = 1
