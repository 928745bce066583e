-- As fingerprint_books, over price and size; CRC-32 of the id stands for the sequence.
SELECT
    count() AS rows, NULL AS min_sequence, NULL AS max_sequence,
    sum((2 * toUInt64(CRC32(id)) + 1) * bitXor(reinterpretAsUInt64(price), reinterpretAsUInt64(qty))) AS checksum
FROM md_trades
WHERE exchange = {exchange:String}
    AND timestamp >= {hour:DateTime('UTC')} AND timestamp < {hour:DateTime('UTC')} + INTERVAL 1 HOUR
