-- Messages of the hour's topics without a row: offsets between those of the hour's messages that nobody read, each run of
-- them as one row, and messages that were read and whose row is no longer there. A message that says what a row already
-- says has no row of its own, and is no hole: it has the row's key. Where those of the hour and its neighbours leave
-- offsets open, the messages of all other times are asked: only then, as that reads much.
WITH
    toDateTime64({hour:DateTime('UTC')}, 3, 'UTC') AS starts,
    starts + INTERVAL 1 HOUR AS ends,
    messages AS
    (
        SELECT dataset, toString(exchange) AS exchange, toString(symbol) AS symbol, timestamp, key, _topic, _partition, _offset
        FROM md_messages_store
        WHERE timestamp >= starts AND timestamp < ends
    ),
    spans AS
    (
        SELECT _topic, _partition, min(_offset) AS first_offset, max(_offset) AS last_offset
        FROM messages
        GROUP BY _topic, _partition
    ),
    near AS
    (
        SELECT DISTINCT _topic, _partition, _offset
        FROM
        (
            SELECT _topic, _partition, _offset FROM md_messages_store
            WHERE timestamp >= starts - INTERVAL 1 HOUR AND timestamp < ends + INTERVAL 1 HOUR
            UNION ALL
            SELECT _topic, _partition, _offset FROM md_dead_letter_store
        ) AS every
        JOIN spans ON every._topic = spans._topic AND every._partition = spans._partition
        WHERE _offset BETWEEN first_offset AND last_offset
    ),
    -- A scalar is found once, a named query again wherever it is named.
    (
        SELECT groupArray((toString(_topic), _partition, first_offset, last_offset))
        FROM (SELECT _topic, _partition, count() AS found FROM near GROUP BY _topic, _partition) AS counted
        JOIN spans ON counted._topic = spans._topic AND counted._partition = spans._partition
        WHERE found < last_offset - first_offset + 1
    ) AS open,
    -- What is not open has no hole.
    read AS
    (
        SELECT toString(_topic) AS topic, _partition, _offset
        FROM md_messages_store
        WHERE (_topic, _partition) IN (SELECT span.1, span.2 FROM (SELECT arrayJoin(open) AS span))
            AND arrayExists(span -> span.1 = topic AND span.2 = _partition AND _offset BETWEEN span.3 AND span.4, open)
        UNION DISTINCT
        SELECT toString(_topic) AS topic, _partition, _offset
        FROM md_dead_letter_store
        WHERE arrayExists(span -> span.1 = topic AND span.2 = _partition AND _offset BETWEEN span.3 AND span.4, open)
    ),
    followed AS
    (
        SELECT
            topic AS _topic, _partition, _offset,
            lagInFrame(toNullable(_offset)) OVER (
                PARTITION BY topic, _partition ORDER BY _offset ROWS BETWEEN 1 PRECEDING AND CURRENT ROW
            ) AS offset_before
        FROM read
    ),
    keys AS
    (
        SELECT 'books' AS dataset, toUInt32(sipHash64(toString(exchange), toString(symbol), toString(sequence))) AS key
        FROM md_orderbook_depth_store
        WHERE timestamp >= starts - INTERVAL 1 HOUR AND timestamp < ends + INTERVAL 1 HOUR
        UNION ALL
        SELECT 'trades', toUInt32(sipHash64(toString(exchange), toString(symbol), id))
        FROM md_trades_store
        WHERE timestamp >= starts - INTERVAL 1 HOUR AND timestamp < ends + INTERVAL 1 HOUR
        UNION ALL
        -- What an operator removed is not missing.
        SELECT toString(dataset), toUInt32(sipHash64(toString(exchange), toString(symbol), row_id))
        FROM _corrections FINAL
        WHERE undone_at IS NULL
    )
SELECT *, sum(last_offset - first_offset + 1) OVER () AS bad_rows
FROM
(
    SELECT
        'never read' AS fault, '' AS dataset, '' AS exchange, '' AS symbol, NULL AS timestamp,
        toString(_topic) AS _topic, _partition, assumeNotNull(offset_before) + 1 AS first_offset, _offset - 1 AS last_offset
    FROM followed
    WHERE offset_before IS NOT NULL AND _offset > offset_before + 1
    UNION ALL
    SELECT
        'row is missing' AS fault, toString(dataset) AS dataset, exchange, symbol, toNullable(timestamp) AS timestamp,
        toString(_topic) AS _topic, _partition, _offset AS first_offset, _offset AS last_offset
    FROM messages
    WHERE (toString(dataset), key) NOT IN (SELECT dataset, key FROM keys)
)
ORDER BY _topic, _partition, first_offset
LIMIT {limit:UInt64}
