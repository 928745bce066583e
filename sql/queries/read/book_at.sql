-- The book of a symbol as it was known at a time, see md_book_at: its levels, bids first, best first.
SELECT
    side, price, size, sequence, venue_time, received_at, is_chained
FROM md_book_at(exchange = {exchange:String}, symbol = {symbol:String}, at = {at:String}, depth = {depth:UInt32})
ORDER BY side = 'bid' DESC, level
