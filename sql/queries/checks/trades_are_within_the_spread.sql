-- Trades more than 50 bps below the best bid or above the best ask that was in force, where one at most 5 s old is known.
-- A large order walks the book; it does not walk that far.
WITH
    toDateTime64({hour:DateTime('UTC')}, 3, 'UTC') AS starts,
    tops AS
    (
        SELECT exchange, symbol, venue_time AS quoted_at, bid_price, ask_price
        FROM md_top_of_book
        WHERE timestamp >= starts - INTERVAL 5 SECOND AND timestamp < starts + INTERVAL 1 HOUR
    ),
    trades AS
    (
        SELECT exchange, symbol, id, timestamp, venue_time, price, qty, side, _topic, _partition, _offset
        FROM md_trades
        WHERE timestamp >= starts AND timestamp < starts + INTERVAL 1 HOUR
    )
SELECT
    trades.exchange AS exchange, trades.symbol AS symbol, id, timestamp, side, price, qty, bid_price, ask_price, quoted_at,
    _topic, _partition, _offset, count() OVER () AS bad_rows
FROM trades
ASOF JOIN tops
    ON trades.exchange = tops.exchange AND trades.symbol = tops.symbol AND trades.venue_time >= tops.quoted_at
WHERE venue_time <= quoted_at + INTERVAL 5 SECOND AND price > 0
    AND (price < bid_price * 0.995 OR price > ask_price * 1.005)
ORDER BY exchange, symbol, timestamp, id
LIMIT {limit:UInt64}
