-- On a cluster only, after the migrations and each time they run: what readers use reaches over all shards.
-- Each node reads its share of the topics (one consumer group), so a row lies on the shard whose node read it; replicas
-- share it. A symbol is on one partition, hence on one shard, until partitions are dealt out again. Tables named
-- _everywhere hold nothing; they are recreated here, so that they have the columns that the last migration gave.
-- '{cluster}' is the macro of that name in the servers' configuration; it must be MDPLATFORM_CLUSTER.
-- Hours (md_spread_hourly and the like) are built and replaced where CLICKHOUSE_URL points: always at one shard's nodes.

{{each archived reader}}

CREATE OR REPLACE VIEW md_book_increments {{cluster}} AS
SELECT
    exchange, symbol, kind,
    {{include unpacked_levels}},
    timestamp, first_sequence, sequence, previous_sequence, venue_time,
    fromUnixTimestamp64Nano(toInt64(bitNot(precedence)), 'UTC') AS received_at, provenance,
    _topic, _partition, _offset, inserted_at, received_at AS received_time
FROM md_book_increments_everywhere FINAL
WHERE NOT shadow
SETTINGS do_not_merge_across_partitions_select_final = 1;

ALTER TABLE md_book_increments {{cluster}}
    COMMENT COLUMN received_time 'when the collector received it',
    COMMENT COLUMN received_at 'received_time by its name of before';

CREATE OR REPLACE VIEW md_book_at {{cluster}} AS
WITH
    toDateTime64({at:String}, 9, 'UTC') AS asked,
    bitNot(toUInt64(toUnixTimestamp64Nano(asked))) AS asked_precedence,
    (
        SELECT (sequence, any(venue_time), max(precedence) AS first_precedence, any(timestamp))
        FROM md_book_increments_everywhere
        PREWHERE kind = 'snapshot'
        WHERE exchange = {exchange:String} AND symbol = {symbol:String} AND NOT shadow
            AND precedence >= asked_precedence AND timestamp > asked - INTERVAL 1 DAY AND timestamp < asked + INTERVAL 1 DAY
        GROUP BY sequence, occurrence
        ORDER BY first_precedence
        LIMIT 1
    ) AS start
SELECT
    stated.1 AS side, stated.2 AS level, stated.3 AS price, stated.4 AS size,
    sequence, venue_time, received_at, fromUnixTimestamp64Nano(toInt64(bitNot(start.3)), 'UTC') AS snapshot_at,
    updates, is_chained
FROM
(
    SELECT
        arraySlice(arrayReverseSort(groupArrayIf((price, size), side_number = 0)), 1, {depth:UInt32}) AS bids,
        arraySlice(arraySort(groupArrayIf((price, size), side_number = 1)), 1, {depth:UInt32}) AS asks,
        max(last) AS sequence, max(last_time) AS venue_time,
        fromUnixTimestamp64Nano(toInt64(bitNot(max(last_precedence))), 'UTC') AS received_at,
        max(count) - 1 AS updates, min(chained) AS is_chained
    FROM
    (
        SELECT
            side_number, price, argMax(stated_size, (number, place)) AS size,
            max(number) AS last, argMax(since, number) AS last_time,
            maxMapIf(map(number, first_precedence), side_number = 2) AS receipts, length(receipts) AS count,
            arrayMin(mapValues(receipts)) AS last_precedence,
            -- Each update follows one that is here.
            uniqExactArrayIf([number, before], side_number = 2) = count AS chained
    FROM
    (
        SELECT
            sequence AS number, venue_time AS since, precedence AS first_precedence,
            if(kind = 'update', ifNull(previous_sequence, sequence), sequence) AS before,
            {{include unpacked_levels}}
        FROM md_book_increments_everywhere
        WHERE exchange = {exchange:String} AND symbol = {symbol:String} AND NOT shadow
            AND precedence >= asked_precedence AND precedence <= start.3 + 5000000000
            AND timestamp >= start.4 - INTERVAL 1 MINUTE AND timestamp < asked + INTERVAL 1 DAY
            AND if(kind = 'snapshot', sequence = start.1 AND precedence = start.3, sequence > start.1 AND venue_time >= start.2)
    )
    ARRAY JOIN
        arrayConcat(arrayWithConstant(length(b), 0), arrayWithConstant(length(a), 1), [2]) AS side_number,
        arrayConcat(b, a, [0]) AS price, arrayConcat(bv, av, [1]) AS stated_size, arrayEnumerate(arrayConcat(b, a, [0])) AS place
    GROUP BY side_number, price
    HAVING size > 0
    )
)
ARRAY JOIN arrayConcat(
    arrayMap((one, number) -> ('bid', number, one.1, one.2), bids, arrayEnumerate(bids)),
    arrayMap((one, number) -> ('ask', number, one.1, one.2), asks, arrayEnumerate(asks))) AS stated
ORDER BY side DESC, level;

CREATE OR REPLACE TABLE md_top_of_book_everywhere {{cluster}} AS md_top_of_book_store
ENGINE = Distributed('{cluster}', currentDatabase(), md_top_of_book_store, cityHash64(exchange, symbol));

CREATE OR REPLACE VIEW md_top_of_book {{cluster}} AS
SELECT
    exchange, symbol, timestamp, sequence,
    nullIf(bid_price, 0) AS bid_price, nullIf(bid_size, 0) AS bid_size,
    nullIf(ask_price, 0) AS ask_price, nullIf(ask_size, 0) AS ask_size,
    {{include best_measures}},
    venue_time, received_at, _topic, _partition, _offset, inserted_at, received_at AS received_time
FROM md_top_of_book_everywhere FINAL
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

CREATE OR REPLACE TABLE md_feed_status_everywhere {{cluster}} AS md_feed_status_store
ENGINE = Distributed('{cluster}', currentDatabase(), md_feed_status_store, cityHash64(exchange, symbol));

CREATE OR REPLACE VIEW md_feed_status {{cluster}} AS
SELECT *, started_at AS started_time, ended_at AS ended_time, toDateTime64(started_at, 3, 'UTC') AS timestamp
FROM md_feed_status_everywhere FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE TABLE md_dead_letter_everywhere {{cluster}} AS md_dead_letter_store
ENGINE = Distributed('{cluster}', currentDatabase(), md_dead_letter_store, rand());

CREATE OR REPLACE VIEW md_dead_letter {{cluster}} AS
SELECT * FROM md_dead_letter_everywhere FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE TABLE md_feed_stats_everywhere {{cluster}} AS md_feed_stats_store
ENGINE = Distributed('{cluster}', currentDatabase(), md_feed_stats_store, cityHash64(exchange));

CREATE OR REPLACE VIEW md_feed_stats {{cluster}} AS
SELECT * FROM md_feed_stats_everywhere FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE TABLE md_signals_everywhere {{cluster}} AS md_signals_store
ENGINE = Distributed('{cluster}', currentDatabase(), md_signals_store, rand());

CREATE OR REPLACE VIEW md_signals {{cluster}} AS
SELECT * FROM md_signals_everywhere FINAL
LIMIT 1 BY exchange, symbol, signal, timestamp, if(id = '', (_topic, _partition, toString(_offset)), (id, 0, ''))
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE TABLE md_spread_hourly_everywhere {{cluster}} AS md_spread_hourly_store
ENGINE = Distributed('{cluster}', currentDatabase(), md_spread_hourly_store, cityHash64(exchange, symbol));

CREATE OR REPLACE VIEW md_spread_hourly {{cluster}} AS
SELECT *, toDateTime64(hour, 3, 'UTC') AS timestamp FROM md_spread_hourly_everywhere FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE TABLE md_instruments_everywhere {{cluster}} AS md_instruments_store
ENGINE = Distributed('{cluster}', currentDatabase(), md_instruments_store, cityHash64(exchange, symbol));

CREATE OR REPLACE VIEW md_instruments {{cluster}} AS
SELECT
    * EXCEPT (version, right, underlying, asset_class, first_seen_at, last_seen_at, _topic, _partition, _offset),
    transform(right, ['C', 'P'], ['call', 'put'], NULL) AS option_kind,
    underlying, asset_class,
    first_seen_at, last_seen_at, _topic, _partition, _offset,
    first_seen_at AS valid_from,
    leadInFrame(toNullable(first_seen_at)) OVER (
        PARTITION BY exchange, symbol ORDER BY first_seen_at ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS valid_to
FROM md_instruments_everywhere FINAL;

ALTER TABLE md_instruments {{cluster}}
    COMMENT COLUMN option_kind 'call or put, of an option',
    COMMENT COLUMN valid_from 'this version holds from here',
    COMMENT COLUMN valid_to 'to here, where the next version begins; NULL: it still holds';

CREATE OR REPLACE TABLE md_messages_everywhere {{cluster}} AS md_messages_store
ENGINE = Distributed('{cluster}', currentDatabase(), md_messages_store, rand());

CREATE OR REPLACE VIEW md_messages {{cluster}} AS
SELECT * FROM md_messages_everywhere FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE TABLE md_trades_minute_everywhere {{cluster}} AS md_trades_minute_store
ENGINE = Distributed('{cluster}', currentDatabase(), md_trades_minute_store, cityHash64(exchange, symbol));

CREATE OR REPLACE VIEW md_trades_minute {{cluster}} AS
SELECT * FROM md_trades_minute_everywhere FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE TABLE md_trades_hours_everywhere {{cluster}} AS md_trades_hours_store
ENGINE = Distributed('{cluster}', currentDatabase(), md_trades_hours_store, rand());

CREATE OR REPLACE VIEW md_trades_hours {{cluster}} AS
SELECT hour, max(hours.stored_at) AS stored_at, max(hours.built_at) AS built_at
FROM md_trades_hours_everywhere AS hours
GROUP BY hour;

CREATE OR REPLACE TABLE md_top_of_book_minute_everywhere {{cluster}} AS md_top_of_book_minute_store
ENGINE = Distributed('{cluster}', currentDatabase(), md_top_of_book_minute_store, cityHash64(exchange, symbol));

CREATE OR REPLACE VIEW md_top_of_book_minute {{cluster}} AS
SELECT * FROM md_top_of_book_minute_everywhere FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE TABLE md_klines_everywhere {{cluster}} AS md_klines_store
ENGINE = Distributed('{cluster}', currentDatabase(), md_klines_store, cityHash64(exchange, symbol));

CREATE OR REPLACE VIEW md_klines {{cluster}} AS
SELECT * FROM md_klines_everywhere FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE TABLE md_agg_trades_everywhere {{cluster}} AS md_agg_trades_store
ENGINE = Distributed('{cluster}', currentDatabase(), md_agg_trades_store, cityHash64(exchange, symbol));

CREATE OR REPLACE VIEW md_agg_trades {{cluster}} AS
SELECT * FROM md_agg_trades_everywhere FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE TABLE md_book_depth_history_everywhere {{cluster}} AS md_book_depth_history_store
ENGINE = Distributed('{cluster}', currentDatabase(), md_book_depth_history_store, cityHash64(exchange, symbol));

CREATE OR REPLACE VIEW md_book_depth_history {{cluster}} AS
SELECT * FROM md_book_depth_history_everywhere FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE TABLE md_open_interest_history_everywhere {{cluster}} AS md_open_interest_history_store
ENGINE = Distributed('{cluster}', currentDatabase(), md_open_interest_history_store, cityHash64(exchange, symbol));

CREATE OR REPLACE VIEW md_open_interest_history {{cluster}} AS
SELECT * FROM md_open_interest_history_everywhere FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE TABLE md_funding_history_everywhere {{cluster}} AS md_funding_history_store
ENGINE = Distributed('{cluster}', currentDatabase(), md_funding_history_store, cityHash64(exchange, symbol));

CREATE OR REPLACE VIEW md_funding_history {{cluster}} AS
SELECT * FROM md_funding_history_everywhere FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE TABLE md_trades_archived_everywhere {{cluster}} AS md_trades_archived_store
ENGINE = Distributed('{cluster}', currentDatabase(), md_trades_archived_store, cityHash64(exchange, symbol));

CREATE OR REPLACE VIEW md_trades_archived {{cluster}} AS
SELECT * FROM md_trades_archived_everywhere FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE TABLE md_history_files_everywhere {{cluster}} AS md_history_files_store
ENGINE = Distributed('{cluster}', currentDatabase(), md_history_files_store, cityHash64(path));

CREATE OR REPLACE VIEW md_history_files {{cluster}} AS
SELECT * FROM md_history_files_everywhere FINAL;
