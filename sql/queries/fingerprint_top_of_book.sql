-- As fingerprint_books, over the four numbers of the best levels.
SELECT
    count() AS rows, min(sequence) AS min_sequence, max(sequence) AS max_sequence,
    sum((2 * sequence + 1) * bitXor(
        bitXor(reinterpretAsUInt64(bid_price), reinterpretAsUInt64(bid_size)),
        bitXor(reinterpretAsUInt64(ask_price), reinterpretAsUInt64(ask_size)))) AS checksum
FROM md_top_of_book
WHERE exchange = {exchange:String}
    AND timestamp >= {hour:DateTime('UTC')} AND timestamp < {hour:DateTime('UTC')} + INTERVAL 1 HOUR
