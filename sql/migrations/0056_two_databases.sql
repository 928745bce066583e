-- Two databases: what people read stays where it was, everything else is in the one named the same and _internal, in
-- which migrations run (sql/queries/database/moves.sql, published_views.sql). A warehouse from before loses these views
-- when it is moved, as a view cannot follow the table that it hangs on; everywhere else they are there already.
CREATE MATERIALIZED VIEW IF NOT EXISTS md_orderbook_depth_messages {{cluster}} TO md_messages_store AS
SELECT
    _topic, _partition, _offset, 'books' AS dataset, exchange, symbol, timestamp,
    toUInt32(sipHash64(toString(exchange), toString(symbol), toString(sequence))) AS key
FROM md_orderbook_depth_store
WHERE _topic != '';
CREATE MATERIALIZED VIEW IF NOT EXISTS md_trades_messages {{cluster}} TO md_messages_store AS
SELECT
    _topic, _partition, _offset, 'trades' AS dataset, exchange, symbol, timestamp,
    toUInt32(sipHash64(toString(exchange), toString(symbol), id)) AS key
FROM md_trades_store
WHERE _topic != '';

CREATE MATERIALIZED VIEW IF NOT EXISTS md_trades_hours_stored {{cluster}} TO md_trades_hours_store AS
SELECT toStartOfHour(timestamp, 'UTC') AS hour, now64(3, 'UTC') AS stored_at
FROM md_trades_store
GROUP BY hour;

CREATE MATERIALIZED VIEW IF NOT EXISTS md_trades_archived_loaded {{cluster}} TO md_trades_archived_store AS
SELECT exchange, symbol, id, price, qty, side, timestamp, now64(3, 'UTC') AS inserted_at
FROM md_trades_store
WHERE provenance = 'archive';
