-- What an archive file of these books must agree with. `checksum` does not depend on the order of rows: per row the bits
-- of all prices and sizes, combined by exclusive or, times (2 * sequence + 1), summed modulo 2^64.
SELECT
    count() AS rows, min(sequence) AS min_sequence, max(sequence) AS max_sequence,
    sum((2 * sequence + 1) * arrayReduce('groupBitXor', arrayMap(x -> reinterpretAsUInt64(x), arrayConcat([0.], b, bv, a, av)))) AS checksum
FROM md_orderbook_depth
WHERE exchange = {exchange:String}
    AND timestamp >= {hour:DateTime('UTC')} AND timestamp < {hour:DateTime('UTC')} + INTERVAL 1 HOUR
