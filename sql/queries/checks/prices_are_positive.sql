-- Books with a price or size that is not a number above zero, and such trades. `bad_rows` is their number before the limit.
SELECT *, count() OVER () AS bad_rows
FROM
(
    SELECT
        'books' AS dataset, toString(exchange) AS exchange, toString(symbol) AS symbol, timestamp, toString(sequence) AS id,
        arrayConcat(b, a) AS prices, arrayConcat(bv, av) AS sizes, _topic, _partition, _offset
    FROM md_orderbook_depth
    WHERE timestamp >= {hour:DateTime('UTC')} AND timestamp < toDateTime64({hour:DateTime('UTC')}, 3, 'UTC') + INTERVAL 1 HOUR
    UNION ALL
    SELECT
        'trades' AS dataset, toString(exchange) AS exchange, toString(symbol) AS symbol, timestamp, id,
        [price] AS prices, [qty] AS sizes, _topic, _partition, _offset
    FROM md_trades
    WHERE timestamp >= {hour:DateTime('UTC')} AND timestamp < toDateTime64({hour:DateTime('UTC')}, 3, 'UTC') + INTERVAL 1 HOUR
)
WHERE arrayExists(x -> NOT (x > 0 AND isFinite(x)), prices) OR arrayExists(x -> NOT (x > 0 AND isFinite(x)), sizes)
ORDER BY dataset, exchange, symbol, timestamp, id
LIMIT {limit:UInt64}
