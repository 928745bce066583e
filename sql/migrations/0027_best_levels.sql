-- Where the receive time is the venue time, a book is told apart by its best levels, as its top is: two collectors may keep
-- different numbers of levels, and one book is then still one row.
ALTER TABLE md_orderbook_depth_store {{cluster}}
    MODIFY COLUMN occurrence UInt64 MATERIALIZED if(venue_time = received_at, toUInt32(cityHash64(b[1], bv[1], a[1], av[1])), toUInt64(toUnixTimestamp64Milli(timestamp))) COMMENT 'timestamp in ms, or a hash of the best levels where that is the receive time: the same sequence in another occurrence is another book' CODEC(Delta, ZSTD(1));
