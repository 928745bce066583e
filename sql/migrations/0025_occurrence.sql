-- Venues begin their numbering again, also within a day: the same number at another venue time is another trade, book or
-- quote, and only the same number at the same time is a repetition. Times are compared in ms: that is the coarsest in which
-- any venue states one and the same trade, by its socket, by REST and in its files. A feed whose venue time is the receive
-- time has none to compare: there the content tells occurrences apart, as two collectors receive the same frame.
-- Parts that are stored already have no such column: it is computed from their rows, of which each part has one a number, so
-- that they are in the new order as they lie. Nothing is written again.
ALTER TABLE md_trades_store {{cluster}}
    ADD COLUMN IF NOT EXISTS occurrence UInt64,
    MODIFY ORDER BY (exchange, symbol, id, occurrence);
ALTER TABLE md_trades_store {{cluster}}
    MODIFY COLUMN occurrence UInt64 MATERIALIZED toUInt64(toUnixTimestamp64Milli(timestamp)) COMMENT 'timestamp in ms: the same id at another time is another trade' CODEC(Delta, ZSTD(1));

ALTER TABLE md_liquidations_store {{cluster}}
    ADD COLUMN IF NOT EXISTS occurrence UInt64,
    MODIFY ORDER BY (exchange, symbol, id, occurrence);
ALTER TABLE md_liquidations_store {{cluster}}
    MODIFY COLUMN occurrence UInt64 MATERIALIZED toUInt64(toUnixTimestamp64Milli(timestamp)) COMMENT 'timestamp in ms: the same id at another time is another liquidation' CODEC(Delta, ZSTD(1));

ALTER TABLE md_orderbook_depth_store {{cluster}}
    ADD COLUMN IF NOT EXISTS occurrence UInt64,
    MODIFY ORDER BY (exchange, symbol, sequence, occurrence);
ALTER TABLE md_orderbook_depth_store {{cluster}}
    MODIFY COLUMN occurrence UInt64 MATERIALIZED if(venue_time = received_at, toUInt32(cityHash64(b, bv, a, av)), toUInt64(toUnixTimestamp64Milli(timestamp))) COMMENT 'timestamp in ms, or a hash of the levels where that is the receive time: the same sequence in another occurrence is another book' CODEC(Delta, ZSTD(1));

ALTER TABLE md_top_of_book_store {{cluster}}
    ADD COLUMN IF NOT EXISTS occurrence UInt64,
    MODIFY ORDER BY (exchange, symbol, sequence, occurrence);
ALTER TABLE md_top_of_book_store {{cluster}}
    MODIFY COLUMN occurrence UInt64 MATERIALIZED if(venue_time = received_at, toUInt32(cityHash64(bid_price, bid_size, ask_price, ask_size)), toUInt64(toUnixTimestamp64Milli(timestamp))) COMMENT 'timestamp in ms, or a hash of the best levels where that is the receive time: the same sequence in another occurrence is another top' CODEC(Delta, ZSTD(1));

ALTER TABLE md_quotes_store {{cluster}}
    ADD COLUMN IF NOT EXISTS occurrence UInt64,
    MODIFY ORDER BY (exchange, symbol, sequence, occurrence);
ALTER TABLE md_quotes_store {{cluster}}
    MODIFY COLUMN occurrence UInt64 MATERIALIZED if(venue_time = received_at, toUInt32(cityHash64(ifNull(bid_price, 0), ifNull(bid_size, 0), ifNull(ask_price, 0), ifNull(ask_size, 0))), toUInt64(toUnixTimestamp64Milli(timestamp))) COMMENT 'timestamp in ms, or a hash of the prices where that is the receive time: the same sequence in another occurrence is another quote' CODEC(Delta, ZSTD(1));

-- Of two statements about one moment the newer one is right: a venue sends mark and index price of one time one by one. The
-- number is above all of those that the column held before, when the older one was kept.
ALTER TABLE md_funding_store {{cluster}}
    MODIFY COLUMN precedence UInt64 MATERIALIZED 17500000000000000000 + intDiv(toUInt64(toUnixTimestamp64Nano(received_at)), 1000) COMMENT 'of equal rows the last received is kept' CODEC(Delta, ZSTD(1));
