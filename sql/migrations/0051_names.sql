-- A column has one name, in SQL, in archives and in mdplatform.read: what readers see has the archives' names. Those of
-- before stay beside them: received_at is received_time, started_at is started_time, and so on.

CREATE OR REPLACE VIEW md_orderbook_depth {{cluster}} AS
SELECT *, received_at AS received_time FROM md_orderbook_depth_store FINAL
WHERE NOT shadow
SETTINGS do_not_merge_across_partitions_select_final = 1;

ALTER TABLE md_orderbook_depth {{cluster}}
    COMMENT COLUMN received_time 'when the collector received it',
    COMMENT COLUMN received_at 'received_time by its name of before';

CREATE OR REPLACE VIEW md_book_increments {{cluster}} AS
SELECT *, received_at AS received_time FROM md_book_increments_store FINAL
WHERE NOT shadow
SETTINGS do_not_merge_across_partitions_select_final = 1;

ALTER TABLE md_book_increments {{cluster}}
    COMMENT COLUMN received_time 'when the collector received it',
    COMMENT COLUMN received_at 'received_time by its name of before';

CREATE OR REPLACE VIEW md_trades {{cluster}} AS
SELECT *, received_at AS received_time FROM md_trades_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

ALTER TABLE md_trades {{cluster}}
    COMMENT COLUMN received_time 'when the collector received it',
    COMMENT COLUMN received_at 'received_time by its name of before';

CREATE OR REPLACE VIEW md_liquidations {{cluster}} AS
SELECT *, received_at AS received_time FROM md_liquidations_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

ALTER TABLE md_liquidations {{cluster}}
    COMMENT COLUMN received_time 'when the collector received it',
    COMMENT COLUMN received_at 'received_time by its name of before';

CREATE OR REPLACE VIEW md_funding {{cluster}} AS
SELECT *, next_funding_at AS next_funding_time, received_at AS received_time FROM md_funding_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

ALTER TABLE md_funding {{cluster}}
    COMMENT COLUMN received_time 'when the collector received it',
    COMMENT COLUMN received_at 'received_time by its name of before',
    COMMENT COLUMN next_funding_time 'when the next payment is due',
    COMMENT COLUMN next_funding_at 'next_funding_time by its name of before';

CREATE OR REPLACE VIEW md_open_interest {{cluster}} AS
SELECT *, received_at AS received_time FROM md_open_interest_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

ALTER TABLE md_open_interest {{cluster}}
    COMMENT COLUMN received_time 'when the collector received it',
    COMMENT COLUMN received_at 'received_time by its name of before';

CREATE OR REPLACE VIEW md_index {{cluster}} AS
SELECT *, received_at AS received_time FROM md_index_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

ALTER TABLE md_index {{cluster}}
    COMMENT COLUMN received_time 'when the collector received it',
    COMMENT COLUMN received_at 'received_time by its name of before';

CREATE OR REPLACE VIEW md_option_summary {{cluster}} AS
SELECT *, received_at AS received_time FROM md_option_summary_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

ALTER TABLE md_option_summary {{cluster}}
    COMMENT COLUMN received_time 'when the collector received it',
    COMMENT COLUMN received_at 'received_time by its name of before';

CREATE OR REPLACE VIEW md_quotes {{cluster}} AS
SELECT *, received_at AS received_time, (bid_price + ask_price) / 2 AS mid,
    ask_price - bid_price AS spread,
    10000 * (ask_price - bid_price) / ((bid_price + ask_price) / 2) AS spread_bps,
    (bid_size - ask_size) / (bid_size + ask_size) AS imbalance FROM md_quotes_store FINAL
WHERE NOT shadow
SETTINGS do_not_merge_across_partitions_select_final = 1;

ALTER TABLE md_quotes {{cluster}}
    COMMENT COLUMN received_time 'when the collector received it',
    COMMENT COLUMN received_at 'received_time by its name of before',
    COMMENT COLUMN mid '(bid + ask) / 2, quote units; NULL while a side is empty',
    COMMENT COLUMN spread 'ask - bid, quote units; NULL while a side is empty',
    COMMENT COLUMN spread_bps 'spread / mid * 10000; NULL while a side is empty',
    COMMENT COLUMN imbalance '(bid size - ask size) / (bid size + ask size), -1 to 1; NULL while a side is empty';

CREATE OR REPLACE VIEW md_top_of_book {{cluster}} AS
SELECT
    exchange, symbol, timestamp, sequence,
    nullIf(bid_price, 0) AS bid_price, nullIf(bid_size, 0) AS bid_size,
    nullIf(ask_price, 0) AS ask_price, nullIf(ask_size, 0) AS ask_size,
    (bid_price + ask_price) / 2 AS mid,
    ask_price - bid_price AS spread,
    10000 * (ask_price - bid_price) / ((bid_price + ask_price) / 2) AS spread_bps,
    (bid_size - ask_size) / (bid_size + ask_size) AS imbalance,
    venue_time, received_at, _topic, _partition, _offset, inserted_at, received_at AS received_time
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
    COMMENT COLUMN imbalance '(bid size - ask size) / (bid size + ask size), -1 to 1; NULL while a side is empty',
    COMMENT COLUMN received_time 'when the collector received it',
    COMMENT COLUMN received_at 'received_time by its name of before';

CREATE OR REPLACE VIEW md_feed_status {{cluster}} AS
SELECT *, started_at AS started_time, ended_at AS ended_time, toDateTime64(started_at, 3, 'UTC') AS timestamp
FROM md_feed_status_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

ALTER TABLE md_feed_status {{cluster}}
    COMMENT COLUMN started_time 'begin, receive time',
    COMMENT COLUMN ended_time 'known to hold until; NULL when only its begin is known',
    COMMENT COLUMN timestamp 'begin, in ms; archives cut intervals into hours, and this is the begin within the hour there',
    COMMENT COLUMN started_at 'started_time by its name of before',
    COMMENT COLUMN ended_at 'ended_time by its name of before';

CREATE OR REPLACE VIEW md_spread_hourly {{cluster}} AS
SELECT *, toDateTime64(hour, 3, 'UTC') AS timestamp FROM md_spread_hourly_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

ALTER TABLE md_spread_hourly {{cluster}}
    COMMENT COLUMN timestamp 'begin of the hour; the same instant as hour';
