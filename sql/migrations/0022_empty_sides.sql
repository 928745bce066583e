-- A book may lose a side, or both: that is stored, and then there is no best price. The narrow table keeps 0 for it, so
-- that no column of what is stored already has to be written again; readers see NULL.
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

ALTER TABLE md_top_of_book_store {{cluster}}
    COMMENT COLUMN bid_price 'best bid; 0 while the side is empty',
    COMMENT COLUMN bid_size 'size at the best bid, base units; 0 while the side is empty',
    COMMENT COLUMN ask_price 'best ask; 0 while the side is empty',
    COMMENT COLUMN ask_size 'size at the best ask, base units; 0 while the side is empty';

ALTER TABLE md_orderbook_depth_store {{cluster}}
    COMMENT COLUMN b 'bid prices, best first; empty while nobody bids',
    COMMENT COLUMN a 'ask prices, best first; empty while nobody offers';
