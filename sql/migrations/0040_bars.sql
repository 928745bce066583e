-- Bars of any length at any time: SELECT * FROM md_bars(seconds = 60) WHERE exchange = 'binance' AND symbol = 'BTC-USDT'
-- AND bar >= now() - INTERVAL 1 HOUR. Hours that are built come from md_trades_minute where minutes divide the bar, all
-- others from the trades: the running hour, and one that got trades after it was built.
CREATE TABLE IF NOT EXISTS md_trades_hours_store {{cluster}}
(
    hour              DateTime('UTC')             COMMENT 'begin of the hour, venue time',
    stored_at         SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'when a trade of the hour was last stored',
    built_at          SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'when the last build of md_trades_minute began; 1970: there was none'
)
ENGINE = {{engine}}AggregatingMergeTree
ORDER BY hour
AS
SELECT hour, max(stored) AS stored_at, max(built) AS built_at
FROM
(
    SELECT toStartOfHour(timestamp, 'UTC') AS hour, inserted_at AS stored, toDateTime64(0, 3, 'UTC') AS built FROM md_trades_store
    UNION ALL
    SELECT toStartOfHour(minute, 'UTC') AS hour, toDateTime64(0, 3, 'UTC') AS stored, inserted_at AS built FROM md_trades_minute
)
GROUP BY hour;

CREATE VIEW IF NOT EXISTS md_trades_hours {{cluster}} AS
SELECT hour, max(hours.stored_at) AS stored_at, max(hours.built_at) AS built_at
FROM md_trades_hours_store AS hours
GROUP BY hour;

ALTER TABLE md_trades_hours {{cluster}}
    COMMENT COLUMN hour 'begin of the hour, venue time',
    COMMENT COLUMN stored_at 'when a trade of the hour was last stored',
    COMMENT COLUMN built_at 'when the last build of md_trades_minute began; 1970: there was none';

-- Hangs on the table, not on the stream: a row from an archive is news of its hour too.
CREATE MATERIALIZED VIEW IF NOT EXISTS md_trades_hours_stored {{cluster}} TO md_trades_hours_store AS
SELECT toStartOfHour(timestamp, 'UTC') AS hour, now64(3, 'UTC') AS stored_at
FROM md_trades_store
GROUP BY hour;

-- Rows that stand for several matches are rare: readers who look for them skip the rest.
ALTER TABLE md_trades_store {{cluster}} ADD INDEX IF NOT EXISTS by_count count TYPE minmax GRANULARITY 1;

-- Each match counts once, see counted_trades. Ten seconds: a row that is stored while a build begins may not be in it.
-- Hours whose trades have left the warehouse have nothing but their minutes. Coverage is at the collectors' clocks.
CREATE VIEW IF NOT EXISTS md_bars {{cluster}} AS
WITH
    (
        SELECT groupArray(hour)
        FROM md_trades_hours
        WHERE stored_at > built_at - INTERVAL 10 SECOND
            AND hour NOT IN (SELECT hour FROM _retired FINAL WHERE dataset = 'trades' AND restored_at IS NULL)
    ) AS unbuilt,
    toUInt32({seconds:UInt32}) AS length,
    if(length % 60 = 0, 60, length) AS step,
    pieces AS
    (
        SELECT
            exchange, symbol, minute AS begin, open, high, low, close, volume, quote_volume, buy_volume, trades
        FROM md_trades_minute
        WHERE length % 60 = 0 AND toStartOfHour(minute, 'UTC') NOT IN (SELECT arrayJoin(unbuilt))
        UNION ALL
        SELECT
            single.exchange AS exchange, single.symbol AS symbol,
            toDateTime(toStartOfInterval(single.timestamp, toIntervalSecond(step)), 'UTC') AS begin,
            argMin(single.price, place) AS open, max(single.price) AS high, min(single.price) AS low,
            argMax(single.price, place) AS close,
            sum(single.qty) AS volume, sum(single.price * single.qty) AS quote_volume,
            sumIf(single.qty, single.side = 'buy') AS buy_volume, sum(ifNull(single.count, 1)) AS trades
        FROM
        (
            SELECT
                exchange, symbol, price, qty, side, count, timestamp, venue_time, toUInt64OrZero(id) AS number,
                -- By time, then numbers by value and others by text: one integer, which is compared faster than a tuple.
                bitShiftLeft(toUInt256(toUnixTimestamp64Nano(venue_time)), 192) + if(
                    number > 0, toUInt256(number), reinterpretAsUInt256(reverse(rightPad(substring(id, 1, 24), 24, '\0')))
                ) AS place
            FROM md_trades
            WHERE length % 60 != 0 OR toStartOfHour(timestamp, 'UTC') IN (SELECT arrayJoin(unbuilt))
        ) AS single
        ASOF LEFT JOIN
        (
            SELECT exchange, symbol, toUInt64OrZero(id) AS last, toUInt64OrZero(ifNull(first_id, '')) AS first, venue_time
            FROM md_trades
            WHERE count > 1
        ) AS several
            ON single.exchange = several.exchange AND single.symbol = several.symbol AND single.number <= several.last
        WHERE ifNull(single.count, 1) > 1 OR single.number = 0 OR several.first = 0 OR single.number < several.first
            OR abs(dateDiff('second', single.venue_time, several.venue_time)) > 60
        GROUP BY exchange, symbol, begin
    ),
    bars AS
    (
        SELECT
            pieces.exchange AS exchange, pieces.symbol AS symbol,
            toDateTime(toStartOfInterval(begin, toIntervalSecond(length)), 'UTC') AS bar,
            argMin(pieces.open, begin) AS open, max(pieces.high) AS high, min(pieces.low) AS low,
            argMax(pieces.close, begin) AS close,
            sum(pieces.volume) AS volume, sum(pieces.quote_volume) AS quote_volume,
            sum(pieces.buy_volume) AS buy_volume, sum(pieces.trades) AS trades
        FROM pieces
        GROUP BY exchange, symbol, bar
    ),
    proven AS
    (
        SELECT
            exchange, symbol, valid_from_ns, valid_to_ns,
            sum(valid_to_ns - valid_from_ns) OVER (
                PARTITION BY exchange, symbol ORDER BY valid_from_ns ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS before_ns
        FROM md_feed_proven
        WHERE channel = 'trades'
    )
SELECT
    bar, exchange, symbol,
    any(edges.open) AS open, any(edges.high) AS high, any(edges.low) AS low, any(edges.close) AS close,
    any(edges.volume) AS volume, any(edges.quote_volume) AS quote_volume, any(edges.buy_volume) AS buy_volume,
    any(edges.trades) AS trades, if(volume > 0, quote_volume / volume, close) AS vwap,
    -- Of each edge, for how long the feed was proven before it.
    sum(if(is_end, 1, -1) * (before_ns + least(at_ns, valid_to_ns) - valid_from_ns)) / (length * 1000000000) AS coverage
FROM
(
    SELECT bars.*, arrayJoin([false, true]) AS is_end, (toInt64(toUnixTimestamp(bar)) + if(is_end, length, 0)) * 1000000000 AS at_ns
    FROM bars
) AS edges
ASOF LEFT JOIN proven
    ON edges.exchange = proven.exchange AND edges.symbol = proven.symbol AND edges.at_ns >= proven.valid_from_ns
GROUP BY edges.exchange AS exchange, edges.symbol AS symbol, edges.bar AS bar
ORDER BY exchange, symbol, bar;
