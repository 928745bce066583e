-- Rows of a feed whose venue time is the receive time lie on two days where two collectors receive the same frame on both
-- sides of midnight, and equal rows are only found within a day. So each such row of a day's last minute is also put into
-- the next day, as a shadow: there it takes the place of its twin, and readers see no shadows. No other row has a midnight
-- as timestamp and the minute before it as venue time.
ALTER TABLE md_orderbook_depth_store {{cluster}}
    ADD COLUMN IF NOT EXISTS shadow Bool MATERIALIZED _topic = '' AND toUnixTimestamp64Milli(timestamp) % 86400000 = 0 AND toUnixTimestamp64Milli(timestamp) - intDiv(toUnixTimestamp64Nano(venue_time), 1000000) BETWEEN 1 AND 60000 COMMENT 'stands at the begin of the next day, only to find its twin there' CODEC(ZSTD(1));
ALTER TABLE md_top_of_book_store {{cluster}}
    ADD COLUMN IF NOT EXISTS shadow Bool MATERIALIZED _topic = '' AND toUnixTimestamp64Milli(timestamp) % 86400000 = 0 AND toUnixTimestamp64Milli(timestamp) - intDiv(toUnixTimestamp64Nano(venue_time), 1000000) BETWEEN 1 AND 60000 COMMENT 'stands at the begin of the next day, only to find its twin there' CODEC(ZSTD(1));
ALTER TABLE md_quotes_store {{cluster}}
    ADD COLUMN IF NOT EXISTS shadow Bool MATERIALIZED _topic = '' AND toUnixTimestamp64Milli(timestamp) % 86400000 = 0 AND toUnixTimestamp64Milli(timestamp) - intDiv(toUnixTimestamp64Nano(venue_time), 1000000) BETWEEN 1 AND 60000 COMMENT 'stands at the begin of the next day, only to find its twin there' CODEC(ZSTD(1));

-- Depth within 10 bps is measured on the whole known book, of which a message holds the best levels. Some messages about
-- trades stand for several matches.
ALTER TABLE md_orderbook_depth_store {{cluster}}
    ADD COLUMN IF NOT EXISTS bid_depth_10bps Nullable(Float64) COMMENT 'all bids within 10 bps of the mid, base units, of the whole known book; NULL where that ends sooner or has no mid' CODEC(ZSTD(1)) AFTER raw_av,
    ADD COLUMN IF NOT EXISTS ask_depth_10bps Nullable(Float64) COMMENT 'all asks within 10 bps of the mid, base units, of the whole known book; NULL where that ends sooner or has no mid' CODEC(ZSTD(1)) AFTER bid_depth_10bps;

ALTER TABLE md_trades_store {{cluster}}
    ADD COLUMN IF NOT EXISTS first_id Nullable(String) COMMENT 'id of the first of the matches that it stands for, the last of them is id; NULL where it stands for itself' CODEC(ZSTD(1)) AFTER side,
    ADD COLUMN IF NOT EXISTS count Nullable(UInt32) COMMENT 'matches that it stands for; NULL: one' CODEC(ZSTD(1)) AFTER first_id;
-- A row that stands for several matches comes before one of them under the same id.
ALTER TABLE md_trades_store {{cluster}}
    MODIFY COLUMN precedence UInt64 MATERIALIZED bitNot(intDiv(toUInt64(toUnixTimestamp64Nano(received_at)), if(ifNull(count, 1) > 1, 1000, 1))) COMMENT 'of equal rows the one that stands for several matches is kept, else the first received' CODEC(Delta, ZSTD(1));

CREATE OR REPLACE VIEW md_orderbook_depth {{cluster}} AS
SELECT * FROM md_orderbook_depth_store FINAL
WHERE NOT shadow
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW md_quotes {{cluster}} AS
SELECT * FROM md_quotes_store FINAL
WHERE NOT shadow
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW md_trades {{cluster}} AS
SELECT * FROM md_trades_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW md_top_of_book {{cluster}} AS
SELECT
    exchange, symbol, timestamp, sequence,
    nullIf(bid_price, 0) AS bid_price, nullIf(bid_size, 0) AS bid_size,
    nullIf(ask_price, 0) AS ask_price, nullIf(ask_size, 0) AS ask_size,
    (bid_price + ask_price) / 2 AS mid,
    ask_price - bid_price AS spread,
    10000 * (ask_price - bid_price) / ((bid_price + ask_price) / 2) AS spread_bps,
    (bid_size - ask_size) / (bid_size + ask_size) AS imbalance,
    venue_time, received_at, _topic, _partition, _offset, inserted_at
FROM md_top_of_book_store FINAL
WHERE NOT shadow
SETTINGS do_not_merge_across_partitions_select_final = 1;

ALTER TABLE md_top_of_book {{cluster}}
    COMMENT COLUMN bid_price 'best bid; NULL while the side is empty',
    COMMENT COLUMN bid_size 'size at the best bid, base units; NULL while the side is empty',
    COMMENT COLUMN ask_price 'best ask; NULL while the side is empty',
    COMMENT COLUMN ask_size 'size at the best ask, base units; NULL while the side is empty',
    COMMENT COLUMN mid '(bid + ask) / 2, quote units; NULL while a side is empty',
    COMMENT COLUMN spread 'ask - bid, quote units; NULL while a side is empty',
    COMMENT COLUMN spread_bps 'spread / mid * 10000; NULL while a side is empty',
    COMMENT COLUMN imbalance '(bid size - ask size) / (bid size + ask size), -1 to 1; NULL while a side is empty';

ALTER TABLE md_spread_hourly_store {{cluster}}
    COMMENT COLUMN bid_depth_10bps_base 'bids within 10 bps of the mid, base units, mean over the time for which they are known; NULL where they never are',
    COMMENT COLUMN bid_depth_10bps_quote 'the same in quote units, each book''s at its mid: exact to 10 bps',
    COMMENT COLUMN ask_depth_10bps_base 'asks within 10 bps of the mid, base units, mean over the time for which they are known; NULL where they never are',
    COMMENT COLUMN ask_depth_10bps_quote 'the same in quote units, each book''s at its mid: exact to 10 bps';
