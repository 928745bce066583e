-- Generated from a migrated database, for reading: it is not applied. To write it anew:
--   MDPLATFORM_WRITE_SCHEMA=1 pytest mdplatform_tests/warehouse/test_schema.py

CREATE TABLE _migrations
(
    `name` String COMMENT 'migrations/... or streams/...',
    `sha256` String COMMENT 'of the shipped file; of the filled-in text for streams',
    `applied_at` DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'when'
)
ENGINE = MergeTree
ORDER BY (name, applied_at)
SETTINGS index_granularity = 8192;

CREATE TABLE md_agg_trades_store
(
    `exchange` LowCardinality(String) COMMENT 'venue id' CODEC(ZSTD(1)),
    `symbol` LowCardinality(String) COMMENT 'canonical symbol: BTC-USDT, BTC-USDT-PERP' CODEC(ZSTD(1)),
    `id` UInt64 COMMENT 'of the aggregate: the fills of one order at one price' CODEC(Delta(8), ZSTD(1)),
    `price` Float64 COMMENT 'in quote units' CODEC(ZSTD(1)),
    `qty` Float64 COMMENT 'in base units' CODEC(ZSTD(1)),
    `side` LowCardinality(String) COMMENT 'buy or sell: the taker\'s side' CODEC(ZSTD(1)),
    `first_id` UInt64 COMMENT 'id of its first trade' CODEC(Delta(8), ZSTD(1)),
    `last_id` UInt64 COMMENT 'id of its last trade' CODEC(Delta(8), ZSTD(1)),
    `timestamp` DateTime64(3, 'UTC') COMMENT 'venue time' CODEC(Delta(8), ZSTD(1)),
    `venue_time` DateTime64(9, 'UTC') COMMENT 'venue time, as fine as the venue states it' CODEC(Delta(8), ZSTD(1)),
    `provenance` LowCardinality(String) COMMENT 'archive' CODEC(ZSTD(1)),
    `inserted_at` DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'when this row was written' CODEC(Delta(8), ZSTD(1)),
    INDEX by_time timestamp TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(inserted_at)
PARTITION BY toDate(timestamp)
ORDER BY (exchange, symbol, id)
SETTINGS index_granularity = 8192;

CREATE TABLE md_book_depth_history_store
(
    `exchange` LowCardinality(String) COMMENT 'venue id' CODEC(ZSTD(1)),
    `symbol` LowCardinality(String) COMMENT 'canonical symbol: BTC-USDT, BTC-USDT-PERP' CODEC(ZSTD(1)),
    `timestamp` DateTime64(3, 'UTC') COMMENT 'venue time, by the second' CODEC(Delta(8), ZSTD(1)),
    `percentage` Float64 COMMENT 'distance from the price: below zero bids, above asks' CODEC(ZSTD(1)),
    `depth` Float64 COMMENT 'all that is offered up to there, base units' CODEC(ZSTD(1)),
    `notional` Float64 COMMENT 'the same in quote units' CODEC(ZSTD(1)),
    `provenance` LowCardinality(String) COMMENT 'archive' CODEC(ZSTD(1)),
    `inserted_at` DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'when this row was written' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(inserted_at)
PARTITION BY toYYYYMM(timestamp)
ORDER BY (exchange, symbol, timestamp, percentage)
SETTINGS index_granularity = 8192;

CREATE TABLE md_book_increments_store
(
    `exchange` LowCardinality(String) COMMENT 'venue id' CODEC(ZSTD(1)),
    `symbol` LowCardinality(String) COMMENT 'canonical symbol: BTC-USDT, BTC-USDT-PERP' CODEC(ZSTD(1)),
    `kind` LowCardinality(String) COMMENT 'snapshot: all that is known of the book, at each join, after each gap and every ten minutes; update: what changed' CODEC(ZSTD(1)),
    `b` Array(Float64) COMMENT 'bid prices' CODEC(ZSTD(3)),
    `bv` Array(Float64) COMMENT 'bid sizes in base units, absolute; 0 deletes the level' CODEC(ZSTD(3)),
    `a` Array(Float64) COMMENT 'ask prices' CODEC(ZSTD(3)),
    `av` Array(Float64) COMMENT 'ask sizes in base units, absolute; 0 deletes the level' CODEC(ZSTD(3)),
    `timestamp` DateTime64(3, 'UTC') COMMENT 'venue time; receive time where the venue sends none' CODEC(Delta(8), ZSTD(1)),
    `first_sequence` Nullable(UInt64) COMMENT 'the venue\'s id of the first of several updates in one message; NULL where it states none' CODEC(Delta(8), ZSTD(1)),
    `sequence` UInt64 COMMENT 'the venue\'s update id after this update' CODEC(Delta(8), ZSTD(1)),
    `previous_sequence` Nullable(UInt64) COMMENT 'sequence of the update before; NULL where the chain starts' CODEC(Delta(8), ZSTD(1)),
    `venue_time` DateTime64(9, 'UTC') COMMENT 'venue time, as fine as the venue states it' CODEC(Delta(8), ZSTD(1)),
    `received_at` DateTime64(9, 'UTC') COMMENT 'when the collector received it' CODEC(Delta(8), ZSTD(1)),
    `_topic` LowCardinality(String) COMMENT 'Kafka topic of the message' CODEC(ZSTD(1)),
    `_partition` UInt32 COMMENT 'Kafka partition of the message' CODEC(ZSTD(1)),
    `_offset` UInt64 COMMENT 'Kafka offset of the message' CODEC(Delta(8), ZSTD(1)),
    `inserted_at` DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'when this row was written' CODEC(Delta(8), ZSTD(1)),
    `precedence` UInt64 MATERIALIZED bitNot(toUInt64(toUnixTimestamp64Nano(received_at))) COMMENT 'of equal rows the first received is kept' CODEC(Delta(8), ZSTD(1)),
    `occurrence` UInt64 MATERIALIZED if(venue_time = received_at, toUInt32(cityHash64(b, bv, a, av)), toUInt64(toUnixTimestamp64Milli(timestamp))) COMMENT 'timestamp in ms, or a hash of the levels where that is the receive time: the same sequence in another occurrence is another change' CODEC(Delta(8), ZSTD(1)),
    `shadow` Bool MATERIALIZED (_topic = '') AND ((toUnixTimestamp64Milli(timestamp) % 86400000) = 0) AND (((toUnixTimestamp64Milli(timestamp) - intDiv(toUnixTimestamp64Nano(venue_time), 1000000)) >= 1) AND ((toUnixTimestamp64Milli(timestamp) - intDiv(toUnixTimestamp64Nano(venue_time), 1000000)) <= 60000)) COMMENT 'stands at the begin of the next day, only to find its twin there' CODEC(ZSTD(1)),
    INDEX by_time timestamp TYPE minmax GRANULARITY 1,
    INDEX by_receipt received_at TYPE minmax GRANULARITY 1,
    INDEX by_kind kind TYPE set(2) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(precedence)
PARTITION BY toDate(timestamp)
ORDER BY (exchange, symbol, sequence, occurrence, kind)
SETTINGS index_granularity = 8192;

CREATE TABLE md_dead_letter_store
(
    `exchange` LowCardinality(String) COMMENT 'venue id; empty where the message does not say' CODEC(ZSTD(1)),
    `reason` LowCardinality(String) COMMENT 'short word for counting; unreadable_message, incomplete_message: refused here' CODEC(ZSTD(1)),
    `error` String COMMENT 'what was wrong' CODEC(ZSTD(1)),
    `frame` String COMMENT 'the frame or message, verbatim' CODEC(ZSTD(1)),
    `encoding` LowCardinality(String) COMMENT 'base64 when the frame was not UTF-8, else empty' CODEC(ZSTD(1)),
    `conn` String COMMENT 'connection of the collector' CODEC(ZSTD(1)),
    `frame_bytes` UInt64 COMMENT 'length of a frame of which only the head is kept; 0: all of it is' CODEC(ZSTD(1)),
    `frame_sha256` String COMMENT 'SHA-256 of a frame of which only the head is kept, in hex; else empty' CODEC(ZSTD(1)),
    `timestamp` DateTime64(3, 'UTC') COMMENT 'received_at in ms' CODEC(Delta(8), ZSTD(1)),
    `received_at` DateTime64(9, 'UTC') COMMENT 'when the collector received it; when the broker did, for messages refused here' CODEC(Delta(8), ZSTD(1)),
    `_topic` LowCardinality(String) COMMENT 'Kafka topic of the message' CODEC(ZSTD(1)),
    `_partition` UInt32 COMMENT 'Kafka partition of the message' CODEC(ZSTD(1)),
    `_offset` UInt64 COMMENT 'Kafka offset of the message' CODEC(Delta(8), ZSTD(1)),
    `inserted_at` DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'when this row was written' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(timestamp)
ORDER BY (_topic, _partition, _offset, received_at)
SETTINGS index_granularity = 8192;

CREATE TABLE md_feed_stats_store
(
    `exchange` LowCardinality(String) COMMENT 'venue id' CODEC(ZSTD(1)),
    `conn` LowCardinality(String) COMMENT 'connection' CODEC(ZSTD(1)),
    `timestamp` DateTime64(3, 'UTC') COMMENT 'collector time' CODEC(Delta(8), ZSTD(1)),
    `symbols` UInt32 COMMENT 'symbols on the connection' CODEC(ZSTD(1)),
    `frames` UInt64 COMMENT 'frames received' CODEC(Delta(8), ZSTD(1)),
    `bytes` UInt64 COMMENT 'bytes received' CODEC(Delta(8), ZSTD(1)),
    `events` UInt64 COMMENT 'events made of them' CODEC(Delta(8), ZSTD(1)),
    `reconnects` UInt64 COMMENT 'connections opened again' CODEC(Delta(8), ZSTD(1)),
    `renewals` UInt64 COMMENT 'connections replaced by another before they ended, without a gap' CODEC(Delta(8), ZSTD(1)),
    `gaps` UInt64 COMMENT 'breaks in a sequence' CODEC(Delta(8), ZSTD(1)),
    `dead_letters` UInt64 COMMENT 'frames refused' CODEC(Delta(8), ZSTD(1)),
    `ignored` Map(LowCardinality(String), UInt64) COMMENT 'frames dropped by design since the start, by kind' CODEC(ZSTD(1)),
    `published` UInt64 COMMENT 'messages acknowledged by the broker' CODEC(Delta(8), ZSTD(1)),
    `failed` UInt64 COMMENT 'messages the broker refused for good' CODEC(Delta(8), ZSTD(1)),
    `queue` UInt64 COMMENT 'messages waiting for acknowledgement' CODEC(ZSTD(1)),
    `paused_ms` UInt64 COMMENT 'time for which sockets were not read because the queue was full' CODEC(Delta(8), ZSTD(1)),
    `latency_p50_ms` Nullable(Float64) COMMENT 'receive to broker acknowledgement over the last second, median' CODEC(ZSTD(1)),
    `latency_p99_ms` Nullable(Float64) COMMENT 'the same, 99th percentile' CODEC(ZSTD(1)),
    `venue_lag_ms` Nullable(Float64) COMMENT 'receive time minus venue time over the last second, median' CODEC(ZSTD(1)),
    `limits_met` UInt64 COMMENT 'answers by which the venue limits us (HTTP 429, 418) since the start; of the process' CODEC(Delta(8), ZSTD(1)),
    `unfamiliar` Map(LowCardinality(String), UInt64) COMMENT 'frames looked at that hold a field never seen before, since the start, by field' CODEC(ZSTD(1)),
    `cadence_ms` Map(LowCardinality(String), Float64) COMMENT 'mean time between two updates of the most active symbols, by kind of channel' CODEC(ZSTD(1)),
    `_topic` LowCardinality(String) COMMENT 'Kafka topic of the message' CODEC(ZSTD(1)),
    `_partition` UInt32 COMMENT 'Kafka partition of the message' CODEC(ZSTD(1)),
    `_offset` UInt64 COMMENT 'Kafka offset of the message' CODEC(Delta(8), ZSTD(1)),
    `inserted_at` DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'when this row was written' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(timestamp)
ORDER BY (exchange, conn, timestamp)
SETTINGS index_granularity = 8192;

CREATE TABLE md_feed_status_store
(
    `exchange` LowCardinality(String) COMMENT 'venue id' CODEC(ZSTD(1)),
    `symbol` LowCardinality(String) COMMENT 'canonical symbol: BTC-USDT, BTC-USDT-PERP' CODEC(ZSTD(1)),
    `channel` LowCardinality(String) COMMENT 'book, trades, ...' CODEC(ZSTD(1)),
    `state` LowCardinality(String) COMMENT 'valid, gap, resync, stale or down' CODEC(ZSTD(1)),
    `cause` String COMMENT 'why the interval began' CODEC(ZSTD(1)),
    `started_at` DateTime64(9, 'UTC') COMMENT 'begin, receive time' CODEC(Delta(8), ZSTD(1)),
    `ended_at` Nullable(DateTime64(9, 'UTC')) COMMENT 'known to hold until; NULL when only its begin is known' CODEC(Delta(8), ZSTD(1)),
    `first_sequence` Nullable(UInt64) COMMENT 'first update id of the interval' CODEC(ZSTD(1)),
    `last_sequence` Nullable(UInt64) COMMENT 'last update id of the interval' CODEC(ZSTD(1)),
    `missed` Nullable(UInt64) COMMENT 'updates known to be missing' CODEC(ZSTD(1)),
    `collector` LowCardinality(String) COMMENT 'A, or B, C ... where a feed is collected several times',
    `started_ns` UInt64 COMMENT 'started_at in ns since 1970' CODEC(Delta(8), ZSTD(1)),
    `ended_ns` Nullable(UInt64) COMMENT 'ended_at in ns since 1970' CODEC(Delta(8), ZSTD(1)),
    `_topic` LowCardinality(String) COMMENT 'Kafka topic of the message' CODEC(ZSTD(1)),
    `_partition` UInt32 COMMENT 'Kafka partition of the message' CODEC(ZSTD(1)),
    `_offset` UInt64 COMMENT 'Kafka offset of the message' CODEC(Delta(8), ZSTD(1)),
    `inserted_at` DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'when this row was written' CODEC(Delta(8), ZSTD(1)),
    `precedence` UInt64 MATERIALIZED ifNull(ended_ns, 0) COMMENT 'the largest ended_ns is kept' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(precedence)
PARTITION BY toYYYYMM(started_at)
PRIMARY KEY (exchange, symbol, channel, started_ns, state)
ORDER BY (exchange, symbol, channel, started_ns, state, collector)
SETTINGS index_granularity = 8192;

CREATE TABLE md_funding_store
(
    `exchange` LowCardinality(String) COMMENT 'venue id' CODEC(ZSTD(1)),
    `symbol` LowCardinality(String) COMMENT 'canonical symbol: BTC-USDT, BTC-USDT-PERP' CODEC(ZSTD(1)),
    `rate` Nullable(Float64) COMMENT 'fraction paid per funding interval' CODEC(ZSTD(1)),
    `mark_price` Nullable(Float64) COMMENT 'in quote units' CODEC(ZSTD(1)),
    `index_price` Nullable(Float64) COMMENT 'in quote units' CODEC(ZSTD(1)),
    `next_funding_at` Nullable(DateTime64(3, 'UTC')) COMMENT 'next payment' CODEC(ZSTD(1)),
    `timestamp` DateTime64(3, 'UTC') COMMENT 'venue time; receive time where the venue sends none' CODEC(Delta(8), ZSTD(1)),
    `venue_time` DateTime64(9, 'UTC') COMMENT 'venue time, as fine as the venue states it' CODEC(Delta(8), ZSTD(1)),
    `received_at` DateTime64(9, 'UTC') COMMENT 'when the collector received it' CODEC(Delta(8), ZSTD(1)),
    `_topic` LowCardinality(String) COMMENT 'Kafka topic of the message' CODEC(ZSTD(1)),
    `_partition` UInt32 COMMENT 'Kafka partition of the message' CODEC(ZSTD(1)),
    `_offset` UInt64 COMMENT 'Kafka offset of the message' CODEC(Delta(8), ZSTD(1)),
    `inserted_at` DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'when this row was written' CODEC(Delta(8), ZSTD(1)),
    `precedence` UInt64 MATERIALIZED 17500000000000000000 + intDiv(toUInt64(toUnixTimestamp64Nano(received_at)), 1000) COMMENT 'of equal rows the last received is kept' CODEC(Delta(8), ZSTD(1)),
    INDEX by_time timestamp TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(precedence)
PARTITION BY toYYYYMM(timestamp)
ORDER BY (exchange, symbol, venue_time)
SETTINGS index_granularity = 8192;

CREATE TABLE md_history_files_store
(
    `exchange` LowCardinality(String) COMMENT 'venue id' CODEC(ZSTD(1)),
    `symbol` LowCardinality(String) COMMENT 'canonical symbol' CODEC(ZSTD(1)),
    `target` LowCardinality(String) COMMENT 'table that its rows are in' CODEC(ZSTD(1)),
    `path` String COMMENT 'below the venue\'s base address' CODEC(ZSTD(1)),
    `sha256` String COMMENT 'of the zip, as published and as proven' CODEC(ZSTD(1)),
    `rows` UInt64 COMMENT 'all of its rows' CODEC(ZSTD(1)),
    `days` Map(String, UInt64) COMMENT 'rows by day' CODEC(ZSTD(1)),
    `loaded_at` DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'when all were stored' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(loaded_at)
ORDER BY (exchange, symbol, target, path)
SETTINGS index_granularity = 8192;

CREATE TABLE md_instruments_store
(
    `exchange` LowCardinality(String) COMMENT 'venue id' CODEC(ZSTD(1)),
    `symbol` String COMMENT 'canonical symbol: BTC-USDT, BTC-USDT-PERP' CODEC(ZSTD(1)),
    `venue_symbol` String COMMENT 'the venue\'s own name' CODEC(ZSTD(1)),
    `category` Nullable(String) COMMENT 'the venue\'s word for the list it is in, where names repeat' CODEC(ZSTD(1)),
    `base` LowCardinality(String) COMMENT 'base asset' CODEC(ZSTD(1)),
    `quote` LowCardinality(String) COMMENT 'quote asset' CODEC(ZSTD(1)),
    `kind` LowCardinality(String) COMMENT 'spot, perpetual, future or option' CODEC(ZSTD(1)),
    `tick` Nullable(Float64) COMMENT 'price increment, in quote units' CODEC(ZSTD(1)),
    `step` Nullable(Float64) COMMENT 'size increment, in the venue\'s units' CODEC(ZSTD(1)),
    `contract_size` Nullable(Float64) COMMENT 'what a size of 1 stands for; NULL: a base unit' CODEC(ZSTD(1)),
    `multiplier` Nullable(Float64) COMMENT 'factor on contract_size' CODEC(ZSTD(1)),
    `inverse` Bool COMMENT 'a contract is worth quote, not base' CODEC(ZSTD(1)),
    `settle` Nullable(String) COMMENT 'what gains are paid in' CODEC(ZSTD(1)),
    `status` Nullable(String) COMMENT 'the venue\'s own word' CODEC(ZSTD(1)),
    `expiry` Nullable(String) COMMENT 'YYYYMMDD of a dated instrument' CODEC(ZSTD(1)),
    `strike` Nullable(Float64) COMMENT 'of an option' CODEC(ZSTD(1)),
    `right` Nullable(String) COMMENT 'C or P of an option' CODEC(ZSTD(1)),
    `alias_of` Nullable(String) COMMENT 'the venue\'s name under which its data is sent, where another' CODEC(ZSTD(1)),
    `version` UInt64 COMMENT 'hash of all that the venue says about it' CODEC(ZSTD(1)),
    `first_seen_at` SimpleAggregateFunction(min, DateTime64(3, 'UTC')) COMMENT 'first list that says so' CODEC(ZSTD(1)),
    `last_seen_at` SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'last list that says so' CODEC(ZSTD(1)),
    `_topic` LowCardinality(String) COMMENT 'Kafka topic of the message' CODEC(ZSTD(1)),
    `_partition` UInt32 COMMENT 'Kafka partition of the message' CODEC(ZSTD(1)),
    `_offset` UInt64 COMMENT 'Kafka offset of the message' CODEC(Delta(8), ZSTD(1))
)
ENGINE = AggregatingMergeTree
ORDER BY (exchange, symbol, version)
SETTINGS index_granularity = 8192;

CREATE TABLE md_klines_store
(
    `exchange` LowCardinality(String) COMMENT 'venue id' CODEC(ZSTD(1)),
    `symbol` LowCardinality(String) COMMENT 'canonical symbol: BTC-USDT, BTC-USDT-PERP' CODEC(ZSTD(1)),
    `interval` LowCardinality(String) COMMENT 'length as the venue calls it: 1m' CODEC(ZSTD(1)),
    `timestamp` DateTime64(3, 'UTC') COMMENT 'its first moment' CODEC(Delta(8), ZSTD(1)),
    `close_time` DateTime64(3, 'UTC') COMMENT 'its last ms' CODEC(Delta(8), ZSTD(1)),
    `open` Float64 COMMENT 'first price' CODEC(ZSTD(1)),
    `high` Float64 COMMENT 'highest price' CODEC(ZSTD(1)),
    `low` Float64 COMMENT 'lowest price' CODEC(ZSTD(1)),
    `close` Float64 COMMENT 'last price' CODEC(ZSTD(1)),
    `volume` Float64 COMMENT 'in base units' CODEC(ZSTD(1)),
    `quote_volume` Float64 COMMENT 'in quote units' CODEC(ZSTD(1)),
    `trades` UInt64 COMMENT 'number of trades' CODEC(Delta(8), ZSTD(1)),
    `taker_buy_volume` Float64 COMMENT 'bought by takers, base units' CODEC(ZSTD(1)),
    `taker_buy_quote_volume` Float64 COMMENT 'bought by takers, quote units' CODEC(ZSTD(1)),
    `provenance` LowCardinality(String) COMMENT 'archive' CODEC(ZSTD(1)),
    `inserted_at` DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'when this row was written' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(inserted_at)
PARTITION BY toYYYYMM(timestamp)
ORDER BY (exchange, symbol, interval, timestamp)
SETTINGS index_granularity = 8192;

CREATE TABLE md_liquidations_store
(
    `exchange` LowCardinality(String) COMMENT 'venue id' CODEC(ZSTD(1)),
    `symbol` LowCardinality(String) COMMENT 'canonical symbol: BTC-USDT, BTC-USDT-PERP' CODEC(ZSTD(1)),
    `id` String COMMENT 'the venue\'s id' CODEC(ZSTD(1)),
    `price` Float64 COMMENT 'in quote units' CODEC(ZSTD(1)),
    `qty` Float64 COMMENT 'in base units' CODEC(ZSTD(1)),
    `raw_size` Nullable(Float64) COMMENT 'as sent, where the venue quotes contracts' CODEC(ZSTD(1)),
    `side` LowCardinality(String) COMMENT 'of the liquidation order: sell closed a long' CODEC(ZSTD(1)),
    `timestamp` DateTime64(3, 'UTC') COMMENT 'venue time; receive time where the venue sends none' CODEC(Delta(8), ZSTD(1)),
    `venue_time` DateTime64(9, 'UTC') COMMENT 'venue time, as fine as the venue states it' CODEC(Delta(8), ZSTD(1)),
    `received_at` DateTime64(9, 'UTC') COMMENT 'when the collector received it' CODEC(Delta(8), ZSTD(1)),
    `_topic` LowCardinality(String) COMMENT 'Kafka topic of the message' CODEC(ZSTD(1)),
    `_partition` UInt32 COMMENT 'Kafka partition of the message' CODEC(ZSTD(1)),
    `_offset` UInt64 COMMENT 'Kafka offset of the message' CODEC(Delta(8), ZSTD(1)),
    `inserted_at` DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'when this row was written' CODEC(Delta(8), ZSTD(1)),
    `precedence` UInt64 MATERIALIZED bitNot(toUInt64(toUnixTimestamp64Nano(received_at))) COMMENT 'of equal rows the first received is kept' CODEC(Delta(8), ZSTD(1)),
    `occurrence` UInt64 MATERIALIZED toUInt64(toUnixTimestamp64Milli(timestamp)) COMMENT 'timestamp in ms: the same id at another time is another liquidation' CODEC(Delta(8), ZSTD(1)),
    INDEX by_time timestamp TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(precedence)
PARTITION BY toYYYYMM(timestamp)
PRIMARY KEY (exchange, symbol, id)
ORDER BY (exchange, symbol, id, occurrence)
SETTINGS index_granularity = 8192;

CREATE TABLE md_messages_store
(
    `_topic` LowCardinality(String) COMMENT 'Kafka topic' CODEC(ZSTD(1)),
    `_partition` UInt32 COMMENT 'Kafka partition' CODEC(ZSTD(1)),
    `_offset` UInt64 COMMENT 'Kafka offset' CODEC(Delta(8), ZSTD(1)),
    `dataset` LowCardinality(String) COMMENT 'books or trades' CODEC(ZSTD(1)),
    `exchange` LowCardinality(String) COMMENT 'venue id' CODEC(ZSTD(1)),
    `symbol` LowCardinality(String) COMMENT 'canonical symbol' CODEC(ZSTD(1)),
    `timestamp` DateTime64(3, 'UTC') COMMENT 'venue time of its row' CODEC(Delta(8), ZSTD(1)),
    `key` UInt32 COMMENT 'low half of sipHash64 of exchange, symbol, and sequence or id' CODEC(ZSTD(1)),
    `inserted_at` DateTime('UTC') DEFAULT now('UTC') COMMENT 'when it was noted' CODEC(Delta(4), ZSTD(1)),
    INDEX by_time timestamp TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toDate(timestamp)
ORDER BY (_topic, _partition, _offset, key)
TTL inserted_at + toIntervalDay(14)
SETTINGS index_granularity = 8192;

CREATE TABLE md_orderbook_depth_store
(
    `exchange` LowCardinality(String) COMMENT 'venue id' CODEC(ZSTD(1)),
    `symbol` LowCardinality(String) COMMENT 'canonical symbol: BTC-USDT, BTC-USDT-PERP' CODEC(ZSTD(1)),
    `b` Array(Float64) COMMENT 'bid prices, best first; empty while nobody bids' CODEC(ZSTD(1)),
    `bv` Array(Float64) COMMENT 'bid sizes in base units' CODEC(ZSTD(1)),
    `a` Array(Float64) COMMENT 'ask prices, best first; empty while nobody offers' CODEC(ZSTD(1)),
    `av` Array(Float64) COMMENT 'ask sizes in base units' CODEC(ZSTD(1)),
    `raw_bv` Array(Float64) COMMENT 'bid sizes as sent, where the venue quotes contracts' CODEC(ZSTD(1)),
    `raw_av` Array(Float64) COMMENT 'ask sizes as sent, where the venue quotes contracts' CODEC(ZSTD(1)),
    `bid_depth_10bps` Nullable(Float64) COMMENT 'all bids within 10 bps of the mid, base units, of the whole known book; NULL where that ends sooner or has no mid' CODEC(ZSTD(1)),
    `ask_depth_10bps` Nullable(Float64) COMMENT 'all asks within 10 bps of the mid, base units, of the whole known book; NULL where that ends sooner or has no mid' CODEC(ZSTD(1)),
    `timestamp` DateTime64(3, 'UTC') COMMENT 'venue time; receive time where the venue sends none' CODEC(Delta(8), ZSTD(1)),
    `sequence` UInt64 COMMENT 'the venue\'s update id after this update' CODEC(Delta(8), ZSTD(1)),
    `previous_sequence` Nullable(UInt64) COMMENT 'sequence of the update before; NULL where the chain starts' CODEC(Delta(8), ZSTD(1)),
    `venue_time` DateTime64(9, 'UTC') COMMENT 'venue time, as fine as the venue states it' CODEC(Delta(8), ZSTD(1)),
    `received_at` DateTime64(9, 'UTC') COMMENT 'when the collector received it' CODEC(Delta(8), ZSTD(1)),
    `_topic` LowCardinality(String) COMMENT 'Kafka topic of the message' CODEC(ZSTD(1)),
    `_partition` UInt32 COMMENT 'Kafka partition of the message' CODEC(ZSTD(1)),
    `_offset` UInt64 COMMENT 'Kafka offset of the message' CODEC(Delta(8), ZSTD(1)),
    `inserted_at` DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'when this row was written' CODEC(Delta(8), ZSTD(1)),
    `precedence` UInt64 MATERIALIZED bitNot(toUInt64(toUnixTimestamp64Nano(received_at))) COMMENT 'of equal rows the first received is kept' CODEC(Delta(8), ZSTD(1)),
    `occurrence` UInt64 MATERIALIZED if(venue_time = received_at, toUInt32(cityHash64(b[1], bv[1], a[1], av[1])), toUInt64(toUnixTimestamp64Milli(timestamp))) COMMENT 'timestamp in ms, or a hash of the best levels where that is the receive time: the same sequence in another occurrence is another book' CODEC(Delta(8), ZSTD(1)),
    `shadow` Bool MATERIALIZED (_topic = '') AND ((toUnixTimestamp64Milli(timestamp) % 86400000) = 0) AND (((toUnixTimestamp64Milli(timestamp) - intDiv(toUnixTimestamp64Nano(venue_time), 1000000)) >= 1) AND ((toUnixTimestamp64Milli(timestamp) - intDiv(toUnixTimestamp64Nano(venue_time), 1000000)) <= 60000)) COMMENT 'stands at the begin of the next day, only to find its twin there' CODEC(ZSTD(1)),
    INDEX by_time timestamp TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(precedence)
PARTITION BY toDate(timestamp)
PRIMARY KEY (exchange, symbol, sequence)
ORDER BY (exchange, symbol, sequence, occurrence)
SETTINGS index_granularity = 8192;

CREATE TABLE md_quotes_store
(
    `exchange` LowCardinality(String) COMMENT 'venue id' CODEC(ZSTD(1)),
    `symbol` LowCardinality(String) COMMENT 'canonical symbol: BTC-USDT, BTC-USDT-PERP' CODEC(ZSTD(1)),
    `bid_price` Nullable(Float64) COMMENT 'best bid; NULL while the side is empty' CODEC(ZSTD(1)),
    `bid_size` Nullable(Float64) COMMENT 'in base units' CODEC(ZSTD(1)),
    `ask_price` Nullable(Float64) COMMENT 'best ask; NULL while the side is empty' CODEC(ZSTD(1)),
    `ask_size` Nullable(Float64) COMMENT 'in base units' CODEC(ZSTD(1)),
    `raw_bid_size` Nullable(Float64) COMMENT 'as the venue sent it, where it quotes contracts' CODEC(ZSTD(1)),
    `raw_ask_size` Nullable(Float64) COMMENT 'as the venue sent it, where it quotes contracts' CODEC(ZSTD(1)),
    `sequence` UInt64 COMMENT 'the venue\'s update id, or its time in us made to rise' CODEC(Delta(8), ZSTD(1)),
    `timestamp` DateTime64(3, 'UTC') COMMENT 'venue time; receive time where the venue sends none' CODEC(Delta(8), ZSTD(1)),
    `venue_time` DateTime64(9, 'UTC') COMMENT 'venue time, as fine as the venue states it' CODEC(Delta(8), ZSTD(1)),
    `received_at` DateTime64(9, 'UTC') COMMENT 'when the collector received it' CODEC(Delta(8), ZSTD(1)),
    `_topic` LowCardinality(String) COMMENT 'Kafka topic of the message' CODEC(ZSTD(1)),
    `_partition` UInt32 COMMENT 'Kafka partition of the message' CODEC(ZSTD(1)),
    `_offset` UInt64 COMMENT 'Kafka offset of the message' CODEC(Delta(8), ZSTD(1)),
    `inserted_at` DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'when this row was written' CODEC(Delta(8), ZSTD(1)),
    `precedence` UInt64 MATERIALIZED bitNot(toUInt64(toUnixTimestamp64Nano(received_at))) COMMENT 'of equal rows the first received is kept' CODEC(Delta(8), ZSTD(1)),
    `occurrence` UInt64 MATERIALIZED if(venue_time = received_at, toUInt32(cityHash64(ifNull(bid_price, 0), ifNull(bid_size, 0), ifNull(ask_price, 0), ifNull(ask_size, 0))), toUInt64(toUnixTimestamp64Milli(timestamp))) COMMENT 'timestamp in ms, or a hash of the prices where that is the receive time: the same sequence in another occurrence is another quote' CODEC(Delta(8), ZSTD(1)),
    `shadow` Bool MATERIALIZED (_topic = '') AND ((toUnixTimestamp64Milli(timestamp) % 86400000) = 0) AND (((toUnixTimestamp64Milli(timestamp) - intDiv(toUnixTimestamp64Nano(venue_time), 1000000)) >= 1) AND ((toUnixTimestamp64Milli(timestamp) - intDiv(toUnixTimestamp64Nano(venue_time), 1000000)) <= 60000)) COMMENT 'stands at the begin of the next day, only to find its twin there' CODEC(ZSTD(1)),
    INDEX by_time timestamp TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(precedence)
PARTITION BY toDate(timestamp)
PRIMARY KEY (exchange, symbol, sequence)
ORDER BY (exchange, symbol, sequence, occurrence)
SETTINGS index_granularity = 8192;

CREATE TABLE md_replayed
(
    `hour` DateTime('UTC') COMMENT 'the hour that was checked' CODEC(Delta(4), ZSTD(1)),
    `exchange` LowCardinality(String) COMMENT 'venue id' CODEC(ZSTD(1)),
    `dataset` LowCardinality(String) COMMENT 'books, trades or status' CODEC(ZSTD(1)),
    `message` String COMMENT 'as the replay would have published it' CODEC(ZSTD(3)),
    `symbol` String MATERIALIZED JSONExtractString(message, 'symbol') COMMENT 'canonical symbol' CODEC(ZSTD(1)),
    `id` String MATERIALIZED if(dataset = 'books', toString(JSONExtractUInt(message, 'sequence')), JSONExtractString(message, 'id')) COMMENT 'update id of a book, id of a trade' CODEC(ZSTD(1)),
    `venue_ns` Int64 MATERIALIZED JSONExtractInt(message, 'venue_ns') COMMENT 'venue time, ns since 1970' CODEC(Delta(8), ZSTD(1)),
    `received_ns` Int64 MATERIALIZED JSONExtractInt(message, 'received_ns') COMMENT 'receive time, ns since 1970' CODEC(Delta(8), ZSTD(1)),
    `content` UInt64 MATERIALIZED if(dataset = 'books', cityHash64(JSONExtract(message, 'Tuple(b Array(Float64), bv Array(Float64), a Array(Float64), av Array(Float64), venue_ns Int64)')), cityHash64(JSONExtract(message, 'Tuple(price Float64, qty Float64, side String, venue_ns Int64)'))) COMMENT 'hash of what must be as stored' CODEC(ZSTD(1)),
    `inserted_at` DateTime('UTC') DEFAULT now('UTC') COMMENT 'when it was replayed' CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY (toYYYYMMDD(hour) * 100) + toHour(hour)
ORDER BY (exchange, dataset, symbol, id)
TTL inserted_at + toIntervalDay(1)
SETTINGS index_granularity = 8192;

CREATE TABLE md_signals_store
(
    `exchange` LowCardinality(String) COMMENT 'venue id' CODEC(ZSTD(1)),
    `symbol` LowCardinality(String) COMMENT 'canonical symbol: BTC-USDT, BTC-USDT-PERP' CODEC(ZSTD(1)),
    `signal` LowCardinality(String) COMMENT 'name of the signal' CODEC(ZSTD(1)),
    `id` String COMMENT 'the same for the same finding, however often it is published' CODEC(ZSTD(1)),
    `exchanges` Array(LowCardinality(String)) COMMENT 'venue ids of all that took part' CODEC(ZSTD(1)),
    `direction` LowCardinality(String) COMMENT 'up, down, buy, sell, bid, ask; empty where there is none' CODEC(ZSTD(1)),
    `value` Nullable(Float64) COMMENT 'its strength, where it is one number' CODEC(ZSTD(1)),
    `threshold` Nullable(Float64) COMMENT 'what the value had to reach' CODEC(ZSTD(1)),
    `unit` LowCardinality(String) COMMENT 'of value and threshold: %, bps, x, orders, sd, share' CODEC(ZSTD(1)),
    `evidence` String COMMENT 'what the value was computed from, JSON' CODEC(ZSTD(1)),
    `timestamp` DateTime64(3, 'UTC') COMMENT 'when it was found, venue time' CODEC(Delta(8), ZSTD(1)),
    `received_at` Nullable(DateTime64(9, 'UTC')) COMMENT 'when we received what completed it' CODEC(ZSTD(1)),
    `found_at` Nullable(DateTime64(9, 'UTC')) COMMENT 'when the engine found it' CODEC(ZSTD(1)),
    `latency_venue_ms` Nullable(Float64) COMMENT 'from venue time until it was found' CODEC(ZSTD(1)),
    `latency_received_ms` Nullable(Float64) COMMENT 'from receiving until it was found' CODEC(ZSTD(1)),
    `message` String COMMENT 'the whole message, JSON' CODEC(ZSTD(1)),
    `_topic` LowCardinality(String) COMMENT 'Kafka topic of the message' CODEC(ZSTD(1)),
    `_partition` UInt32 COMMENT 'Kafka partition of the message' CODEC(ZSTD(1)),
    `_offset` UInt64 COMMENT 'Kafka offset of the message' CODEC(Delta(8), ZSTD(1)),
    `inserted_at` DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'when this row was written' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(timestamp)
ORDER BY (exchange, symbol, signal, timestamp, _topic, _partition, _offset)
SETTINGS index_granularity = 8192;

CREATE TABLE md_spread_hourly_staging
(
    `hour` DateTime('UTC') COMMENT 'begin of the hour' CODEC(Delta(4), ZSTD(1)),
    `exchange` LowCardinality(String) COMMENT 'venue id' CODEC(ZSTD(1)),
    `symbol` LowCardinality(String) COMMENT 'canonical symbol' CODEC(ZSTD(1)),
    `updates` UInt64 COMMENT 'books received, valid or not' CODEC(ZSTD(1)),
    `coverage` Float64 COMMENT 'valid time / 3600 s, 0 to 1' CODEC(ZSTD(1)),
    `spread` Nullable(Float64) COMMENT 'ask - bid, mean by time, quote units' CODEC(ZSTD(1)),
    `spread_median` Nullable(Float64) COMMENT 'half of the time the spread was at most this' CODEC(ZSTD(1)),
    `spread_p95` Nullable(Float64) COMMENT '95 % of the time' CODEC(ZSTD(1)),
    `spread_p99` Nullable(Float64) COMMENT '99 % of the time' CODEC(ZSTD(1)),
    `spread_bps` Nullable(Float64) COMMENT 'spread / mid * 10000, mean by time' CODEC(ZSTD(1)),
    `spread_bps_median` Nullable(Float64) COMMENT 'half of the time at most this' CODEC(ZSTD(1)),
    `spread_bps_p95` Nullable(Float64) COMMENT '95 % of the time' CODEC(ZSTD(1)),
    `spread_bps_p99` Nullable(Float64) COMMENT '99 % of the time' CODEC(ZSTD(1)),
    `mid_open` Nullable(Float64) COMMENT '(bid + ask) / 2 in force at the first valid moment' CODEC(ZSTD(1)),
    `mid_high` Nullable(Float64) COMMENT 'highest mid' CODEC(ZSTD(1)),
    `mid_low` Nullable(Float64) COMMENT 'lowest mid' CODEC(ZSTD(1)),
    `mid_close` Nullable(Float64) COMMENT 'mid in force at the last valid moment' CODEC(ZSTD(1)),
    `imbalance` Nullable(Float64) COMMENT '(bid size - ask size) / (bid size + ask size) of the best levels, mean by time' CODEC(ZSTD(1)),
    `bid_depth_10bps_base` Nullable(Float64) COMMENT 'bids within 10 bps of the mid, base units, mean by time; of the published levels' CODEC(ZSTD(1)),
    `bid_depth_10bps_quote` Nullable(Float64) COMMENT 'the same in quote units' CODEC(ZSTD(1)),
    `ask_depth_10bps_base` Nullable(Float64) COMMENT 'asks within 10 bps of the mid, base units, mean by time; of the published levels' CODEC(ZSTD(1)),
    `ask_depth_10bps_quote` Nullable(Float64) COMMENT 'the same in quote units' CODEC(ZSTD(1)),
    `realized_volatility` Nullable(Float64) COMMENT 'of log returns of the mid every 10 s, per year' CODEC(ZSTD(1)),
    `order_flow_imbalance` Float64 COMMENT 'sum over updates, base units (Cont, Kukanov, Stoikov 2014)' CODEC(ZSTD(1)),
    `inserted_at` DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'when the hour was built' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY (toYYYYMMDD(hour) * 100) + toHour(hour)
ORDER BY (exchange, symbol)
SETTINGS index_granularity = 8192;

CREATE TABLE md_spread_hourly_store
(
    `hour` DateTime('UTC') COMMENT 'begin of the hour' CODEC(Delta(4), ZSTD(1)),
    `exchange` LowCardinality(String) COMMENT 'venue id' CODEC(ZSTD(1)),
    `symbol` LowCardinality(String) COMMENT 'canonical symbol' CODEC(ZSTD(1)),
    `updates` UInt64 COMMENT 'books received, valid or not, empty or not' CODEC(ZSTD(1)),
    `coverage` Float64 COMMENT 'valid time / 3600 s, 0 to 1; time in which a side is empty is valid and counts here, and nowhere below: all that follows is over the valid time with both sides' CODEC(ZSTD(1)),
    `spread` Nullable(Float64) COMMENT 'ask - bid, mean by time, quote units; NULL where no valid time had both sides' CODEC(ZSTD(1)),
    `spread_median` Nullable(Float64) COMMENT 'half of the time the spread was at most this' CODEC(ZSTD(1)),
    `spread_p95` Nullable(Float64) COMMENT '95 % of the time' CODEC(ZSTD(1)),
    `spread_p99` Nullable(Float64) COMMENT '99 % of the time' CODEC(ZSTD(1)),
    `spread_bps` Nullable(Float64) COMMENT 'spread / mid * 10000, mean by time' CODEC(ZSTD(1)),
    `spread_bps_median` Nullable(Float64) COMMENT 'half of the time at most this' CODEC(ZSTD(1)),
    `spread_bps_p95` Nullable(Float64) COMMENT '95 % of the time' CODEC(ZSTD(1)),
    `spread_bps_p99` Nullable(Float64) COMMENT '99 % of the time' CODEC(ZSTD(1)),
    `mid_open` Nullable(Float64) COMMENT '(bid + ask) / 2 in force at the first valid moment with both sides' CODEC(ZSTD(1)),
    `mid_high` Nullable(Float64) COMMENT 'highest mid' CODEC(ZSTD(1)),
    `mid_low` Nullable(Float64) COMMENT 'lowest mid' CODEC(ZSTD(1)),
    `mid_close` Nullable(Float64) COMMENT 'mid in force at the last valid moment with both sides' CODEC(ZSTD(1)),
    `imbalance` Nullable(Float64) COMMENT '(bid size - ask size) / (bid size + ask size) of the best levels, mean by time' CODEC(ZSTD(1)),
    `bid_depth_10bps_base` Nullable(Float64) COMMENT 'bids within 10 bps of the mid, base units, mean over the time for which they are known; NULL where they never are' CODEC(ZSTD(1)),
    `bid_depth_10bps_quote` Nullable(Float64) COMMENT 'the same in quote units, each book\'s at its mid: exact to 10 bps' CODEC(ZSTD(1)),
    `ask_depth_10bps_base` Nullable(Float64) COMMENT 'asks within 10 bps of the mid, base units, mean over the time for which they are known; NULL where they never are' CODEC(ZSTD(1)),
    `ask_depth_10bps_quote` Nullable(Float64) COMMENT 'the same in quote units, each book\'s at its mid: exact to 10 bps' CODEC(ZSTD(1)),
    `realized_volatility` Nullable(Float64) COMMENT 'of log returns of the mid every 10 s, per year' CODEC(ZSTD(1)),
    `order_flow_imbalance` Float64 COMMENT 'sum over updates, base units (Cont, Kukanov, Stoikov 2014); a side that empties leaves with all of its best size' CODEC(ZSTD(1)),
    `inserted_at` DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'when the hour was built' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY (toYYYYMMDD(hour) * 100) + toHour(hour)
ORDER BY (exchange, symbol)
SETTINGS index_granularity = 8192;

CREATE TABLE md_top_of_book_minute_staging
(
    `minute` DateTime('UTC') COMMENT 'begin of the minute, venue time' CODEC(Delta(4), ZSTD(1)),
    `exchange` LowCardinality(String) COMMENT 'venue id' CODEC(ZSTD(1)),
    `symbol` LowCardinality(String) COMMENT 'canonical symbol' CODEC(ZSTD(1)),
    `updates` UInt64 COMMENT 'books received, valid or not' CODEC(ZSTD(1)),
    `coverage` Float64 COMMENT 'valid time / 60 s, 0 to 1' CODEC(ZSTD(1)),
    `mid_open` Nullable(Float64) COMMENT '(bid + ask) / 2 in force at the first valid moment' CODEC(ZSTD(1)),
    `mid_high` Nullable(Float64) COMMENT 'highest mid' CODEC(ZSTD(1)),
    `mid_low` Nullable(Float64) COMMENT 'lowest mid' CODEC(ZSTD(1)),
    `mid_close` Nullable(Float64) COMMENT 'mid in force at the last valid moment' CODEC(ZSTD(1)),
    `spread` Nullable(Float64) COMMENT 'ask - bid, mean by time, quote units' CODEC(ZSTD(1)),
    `spread_bps` Nullable(Float64) COMMENT 'spread / mid * 10000, mean by time' CODEC(ZSTD(1)),
    `inserted_at` DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'when the hour was built' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY (toYYYYMMDD(minute) * 100) + toHour(minute)
ORDER BY (exchange, symbol, minute)
SETTINGS index_granularity = 8192;

CREATE TABLE md_top_of_book_minute_store
(
    `minute` DateTime('UTC') COMMENT 'begin of the minute, venue time' CODEC(Delta(4), ZSTD(1)),
    `exchange` LowCardinality(String) COMMENT 'venue id' CODEC(ZSTD(1)),
    `symbol` LowCardinality(String) COMMENT 'canonical symbol' CODEC(ZSTD(1)),
    `updates` UInt64 COMMENT 'books received, valid or not, empty or not' CODEC(ZSTD(1)),
    `coverage` Float64 COMMENT 'valid time / 60 s, 0 to 1; time in which a side is empty is valid and counts here, and nowhere below: all that follows is over the valid time with both sides' CODEC(ZSTD(1)),
    `mid_open` Nullable(Float64) COMMENT '(bid + ask) / 2 in force at the first valid moment with both sides' CODEC(ZSTD(1)),
    `mid_high` Nullable(Float64) COMMENT 'highest mid' CODEC(ZSTD(1)),
    `mid_low` Nullable(Float64) COMMENT 'lowest mid' CODEC(ZSTD(1)),
    `mid_close` Nullable(Float64) COMMENT 'mid in force at the last valid moment with both sides' CODEC(ZSTD(1)),
    `spread` Nullable(Float64) COMMENT 'ask - bid, mean by time, quote units; NULL where no valid time had both sides' CODEC(ZSTD(1)),
    `spread_bps` Nullable(Float64) COMMENT 'spread / mid * 10000, mean by time' CODEC(ZSTD(1)),
    `inserted_at` DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'when the hour was built' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY (toYYYYMMDD(minute) * 100) + toHour(minute)
ORDER BY (exchange, symbol, minute)
SETTINGS index_granularity = 8192;

CREATE TABLE md_top_of_book_store
(
    `exchange` LowCardinality(String) COMMENT 'venue id' CODEC(ZSTD(1)),
    `symbol` LowCardinality(String) COMMENT 'canonical symbol: BTC-USDT, BTC-USDT-PERP' CODEC(ZSTD(1)),
    `timestamp` DateTime64(3, 'UTC') COMMENT 'venue time; receive time where the venue sends none' CODEC(Delta(8), ZSTD(1)),
    `sequence` UInt64 COMMENT 'the venue\'s update id after this update' CODEC(Delta(8), ZSTD(1)),
    `bid_price` Float64 COMMENT 'best bid; 0 while the side is empty' CODEC(ZSTD(1)),
    `bid_size` Float64 COMMENT 'size at the best bid, base units; 0 while the side is empty' CODEC(ZSTD(1)),
    `ask_price` Float64 COMMENT 'best ask; 0 while the side is empty' CODEC(ZSTD(1)),
    `ask_size` Float64 COMMENT 'size at the best ask, base units; 0 while the side is empty' CODEC(ZSTD(1)),
    `venue_time` DateTime64(9, 'UTC') COMMENT 'venue time, as fine as the venue states it' CODEC(Delta(8), ZSTD(1)),
    `received_at` DateTime64(9, 'UTC') COMMENT 'when the collector received it' CODEC(Delta(8), ZSTD(1)),
    `_topic` LowCardinality(String) COMMENT 'Kafka topic of the message' CODEC(ZSTD(1)),
    `_partition` UInt32 COMMENT 'Kafka partition of the message' CODEC(ZSTD(1)),
    `_offset` UInt64 COMMENT 'Kafka offset of the message' CODEC(Delta(8), ZSTD(1)),
    `inserted_at` DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'when this row was written' CODEC(Delta(8), ZSTD(1)),
    `precedence` UInt64 MATERIALIZED bitNot(toUInt64(toUnixTimestamp64Nano(received_at))) COMMENT 'of equal rows the first received is kept' CODEC(Delta(8), ZSTD(1)),
    `occurrence` UInt64 MATERIALIZED if(venue_time = received_at, toUInt32(cityHash64(bid_price, bid_size, ask_price, ask_size)), toUInt64(toUnixTimestamp64Milli(timestamp))) COMMENT 'timestamp in ms, or a hash of the best levels where that is the receive time: the same sequence in another occurrence is another top' CODEC(Delta(8), ZSTD(1)),
    `shadow` Bool MATERIALIZED (_topic = '') AND ((toUnixTimestamp64Milli(timestamp) % 86400000) = 0) AND (((toUnixTimestamp64Milli(timestamp) - intDiv(toUnixTimestamp64Nano(venue_time), 1000000)) >= 1) AND ((toUnixTimestamp64Milli(timestamp) - intDiv(toUnixTimestamp64Nano(venue_time), 1000000)) <= 60000)) COMMENT 'stands at the begin of the next day, only to find its twin there' CODEC(ZSTD(1)),
    INDEX by_time timestamp TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(precedence)
PARTITION BY toDate(timestamp)
PRIMARY KEY (exchange, symbol, sequence)
ORDER BY (exchange, symbol, sequence, occurrence)
SETTINGS index_granularity = 8192;

CREATE TABLE md_trades_minute_staging
(
    `minute` DateTime('UTC') COMMENT 'begin of the minute, venue time' CODEC(Delta(4), ZSTD(1)),
    `exchange` LowCardinality(String) COMMENT 'venue id' CODEC(ZSTD(1)),
    `symbol` LowCardinality(String) COMMENT 'canonical symbol' CODEC(ZSTD(1)),
    `open` Float64 COMMENT 'price of the first trade' CODEC(ZSTD(1)),
    `high` Float64 COMMENT 'highest price' CODEC(ZSTD(1)),
    `low` Float64 COMMENT 'lowest price' CODEC(ZSTD(1)),
    `close` Float64 COMMENT 'price of the last trade' CODEC(ZSTD(1)),
    `volume` Float64 COMMENT 'base units' CODEC(ZSTD(1)),
    `quote_volume` Float64 COMMENT 'quote units' CODEC(ZSTD(1)),
    `buy_volume` Float64 COMMENT 'of it bought by the taker, base units' CODEC(ZSTD(1)),
    `trades` UInt64 COMMENT 'number of trades' CODEC(ZSTD(1)),
    `vwap` Float64 COMMENT 'quote_volume / volume' CODEC(ZSTD(1)),
    `inserted_at` DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'when the hour was built' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY (toYYYYMMDD(minute) * 100) + toHour(minute)
ORDER BY (exchange, symbol, minute)
SETTINGS index_granularity = 8192;

CREATE TABLE md_trades_minute_store
(
    `minute` DateTime('UTC') COMMENT 'begin of the minute, venue time' CODEC(Delta(4), ZSTD(1)),
    `exchange` LowCardinality(String) COMMENT 'venue id' CODEC(ZSTD(1)),
    `symbol` LowCardinality(String) COMMENT 'canonical symbol' CODEC(ZSTD(1)),
    `open` Float64 COMMENT 'price of the first trade' CODEC(ZSTD(1)),
    `high` Float64 COMMENT 'highest price' CODEC(ZSTD(1)),
    `low` Float64 COMMENT 'lowest price' CODEC(ZSTD(1)),
    `close` Float64 COMMENT 'price of the last trade' CODEC(ZSTD(1)),
    `volume` Float64 COMMENT 'base units' CODEC(ZSTD(1)),
    `quote_volume` Float64 COMMENT 'quote units' CODEC(ZSTD(1)),
    `buy_volume` Float64 COMMENT 'of it bought by the taker, base units' CODEC(ZSTD(1)),
    `trades` UInt64 COMMENT 'number of trades' CODEC(ZSTD(1)),
    `vwap` Float64 COMMENT 'quote_volume / volume' CODEC(ZSTD(1)),
    `inserted_at` DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'when the hour was built' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY (toYYYYMMDD(minute) * 100) + toHour(minute)
ORDER BY (exchange, symbol, minute)
SETTINGS index_granularity = 8192;

CREATE TABLE md_trades_store
(
    `exchange` LowCardinality(String) COMMENT 'venue id' CODEC(ZSTD(1)),
    `symbol` LowCardinality(String) COMMENT 'canonical symbol: BTC-USDT, BTC-USDT-PERP' CODEC(ZSTD(1)),
    `id` String COMMENT 'the venue\'s id' CODEC(ZSTD(1)),
    `price` Float64 COMMENT 'in quote units' CODEC(ZSTD(1)),
    `qty` Float64 COMMENT 'in base units' CODEC(ZSTD(1)),
    `raw_size` Nullable(Float64) COMMENT 'as sent, where the venue quotes contracts' CODEC(ZSTD(1)),
    `side` LowCardinality(String) COMMENT 'buy or sell: the taker\'s side' CODEC(ZSTD(1)),
    `first_id` Nullable(String) COMMENT 'id of the first of the matches that it stands for, the last of them is id; NULL where it stands for itself' CODEC(ZSTD(1)),
    `count` Nullable(UInt32) COMMENT 'matches that it stands for; NULL: one' CODEC(ZSTD(1)),
    `timestamp` DateTime64(3, 'UTC') COMMENT 'venue time; receive time where the venue sends none' CODEC(Delta(8), ZSTD(1)),
    `venue_time` DateTime64(9, 'UTC') COMMENT 'venue time, as fine as the venue states it' CODEC(Delta(8), ZSTD(1)),
    `received_at` DateTime64(9, 'UTC') COMMENT 'when the collector received it' CODEC(Delta(8), ZSTD(1)),
    `provenance` LowCardinality(String) COMMENT 'live, rest (filled in later) or archive' CODEC(ZSTD(1)),
    `_topic` LowCardinality(String) COMMENT 'Kafka topic of the message' CODEC(ZSTD(1)),
    `_partition` UInt32 COMMENT 'Kafka partition of the message' CODEC(ZSTD(1)),
    `_offset` UInt64 COMMENT 'Kafka offset of the message' CODEC(Delta(8), ZSTD(1)),
    `inserted_at` DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'when this row was written' CODEC(Delta(8), ZSTD(1)),
    `precedence` UInt64 MATERIALIZED bitNot(intDiv(toUInt64(toUnixTimestamp64Nano(received_at)), if(ifNull(count, 1) > 1, 1000, 1))) COMMENT 'of equal rows the one that stands for several matches is kept, else the first received' CODEC(Delta(8), ZSTD(1)),
    `occurrence` UInt64 MATERIALIZED toUInt64(toUnixTimestamp64Milli(timestamp)) COMMENT 'timestamp in ms: the same id at another time is another trade' CODEC(Delta(8), ZSTD(1)),
    INDEX by_time timestamp TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(precedence)
PARTITION BY toDate(timestamp)
PRIMARY KEY (exchange, symbol, id)
ORDER BY (exchange, symbol, id, occurrence)
SETTINGS index_granularity = 8192;

CREATE VIEW md_agg_trades
(
    `exchange` LowCardinality(String),
    `symbol` LowCardinality(String),
    `id` UInt64,
    `price` Float64,
    `qty` Float64,
    `side` LowCardinality(String),
    `first_id` UInt64,
    `last_id` UInt64,
    `timestamp` DateTime64(3, 'UTC'),
    `venue_time` DateTime64(9, 'UTC'),
    `provenance` LowCardinality(String),
    `inserted_at` DateTime64(3, 'UTC')
)
AS SELECT *
FROM md_agg_trades_store
FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE VIEW md_book_at
AS WITH
    toDateTime64({at:String}, 9, 'UTC') AS asked,
    (
        SELECT (sequence, venue_time, received_at, timestamp)
        FROM md_book_increments_store
        WHERE (exchange = {exchange:String}) AND (symbol = {symbol:String}) AND (kind = 'snapshot') AND (NOT shadow) AND (received_at <= asked) AND (timestamp > (asked - toIntervalDay(1))) AND (timestamp < (asked + toIntervalDay(1)))
        ORDER BY received_at DESC
        LIMIT 1
    ) AS start,
    changes AS
    (
        SELECT *
        FROM md_book_increments_store
        WHERE (exchange = {exchange:String}) AND (symbol = {symbol:String}) AND (NOT shadow) AND (received_at <= asked) AND (received_at >= ((start.3) - toIntervalSecond(5))) AND (timestamp >= ((start.4) - toIntervalMinute(1))) AND (timestamp < (asked + toIntervalDay(1))) AND if(kind = 'snapshot', (sequence = (start.1)) AND (received_at = (start.3)), (sequence > (start.1)) AND (venue_time >= (start.2)))
    ),
    applied AS
    (
        SELECT
            max(sequence) AS last,
            argMax(venue_time, sequence) AS last_time,
            max(received_at) AS last_receipt,
            uniqExactIf(sequence, kind = 'update') AS followed,
            hasAll(groupUniqArray(sequence), groupUniqArrayIf(previous_sequence, kind = 'update')) AS chained
        FROM changes
    )
SELECT
    side,
    row_number() OVER (PARTITION BY side ORDER BY if(side = 'bid', -price, price) ASC) AS level,
    price,
    size,
    last AS sequence,
    last_time AS venue_time,
    last_receipt AS received_at,
    start.3 AS snapshot_at,
    followed AS updates,
    chained AS is_chained
FROM
(
    SELECT
        change.1 AS side,
        change.2 AS price,
        argMax(change.3, (sequence, change.4)) AS size
    FROM changes
    ARRAY JOIN arrayConcat(arrayMap((price, size, place) -> ('bid', price, size, place), b, bv, arrayEnumerate(b)), arrayMap((price, size, place) -> ('ask', price, size, place), a, av, arrayEnumerate(a))) AS change
    GROUP BY
        side,
        price
    HAVING size > 0
) AS levels
CROSS JOIN applied
QUALIFY level <= {depth:UInt32}
ORDER BY
    side DESC,
    level ASC;

CREATE VIEW md_book_depth_history
(
    `exchange` LowCardinality(String),
    `symbol` LowCardinality(String),
    `timestamp` DateTime64(3, 'UTC'),
    `percentage` Float64,
    `depth` Float64,
    `notional` Float64,
    `provenance` LowCardinality(String),
    `inserted_at` DateTime64(3, 'UTC')
)
AS SELECT *
FROM md_book_depth_history_store
FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE VIEW md_book_increments
(
    `exchange` LowCardinality(String),
    `symbol` LowCardinality(String),
    `kind` LowCardinality(String),
    `b` Array(Float64),
    `bv` Array(Float64),
    `a` Array(Float64),
    `av` Array(Float64),
    `timestamp` DateTime64(3, 'UTC'),
    `first_sequence` Nullable(UInt64),
    `sequence` UInt64,
    `previous_sequence` Nullable(UInt64),
    `venue_time` DateTime64(9, 'UTC'),
    `received_at` DateTime64(9, 'UTC'),
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64,
    `inserted_at` DateTime64(3, 'UTC')
)
AS SELECT *
FROM md_book_increments_store
FINAL
WHERE NOT shadow
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE VIEW md_dead_letter
(
    `exchange` LowCardinality(String),
    `reason` LowCardinality(String),
    `error` String,
    `frame` String,
    `encoding` LowCardinality(String),
    `conn` String,
    `frame_bytes` UInt64,
    `frame_sha256` String,
    `timestamp` DateTime64(3, 'UTC'),
    `received_at` DateTime64(9, 'UTC'),
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64,
    `inserted_at` DateTime64(3, 'UTC')
)
AS SELECT *
FROM md_dead_letter_store
FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE VIEW md_feed_gaps
(
    `exchange` LowCardinality(String) COMMENT 'venue id',
    `symbol` LowCardinality(String) COMMENT 'canonical symbol: BTC-USDT, BTC-USDT-PERP',
    `channel` LowCardinality(String) COMMENT 'book, trades, ...',
    `collector` LowCardinality(String) COMMENT 'whose gap it is',
    `state` LowCardinality(String) COMMENT 'gap, resync, stale or down',
    `cause` String COMMENT 'why the interval began',
    `started_at` DateTime64(9, 'UTC') COMMENT 'begin, receive time',
    `ended_at` Nullable(DateTime64(9, 'UTC')) COMMENT 'known to hold until; NULL when only its begin is known',
    `started_ns` UInt64 COMMENT 'started_at in ns since 1970',
    `ended_ns` Nullable(UInt64) COMMENT 'ended_at in ns since 1970',
    `first_sequence` Nullable(UInt64) COMMENT 'first update id of the interval',
    `last_sequence` Nullable(UInt64) COMMENT 'last update id of the interval',
    `missed` Nullable(UInt64) COMMENT 'updates known to be missing',
    `prevented` UInt8 COMMENT '1 where another collector proved the feed all the while'
)
AS SELECT
    status.exchange AS exchange,
    status.symbol AS symbol,
    status.channel AS channel,
    collector,
    state,
    cause,
    started_at,
    ended_at,
    started_ns,
    ended_ns,
    first_sequence,
    last_sequence,
    missed,
    (proven.valid_from_ns > 0) AND if(isNull(ended_ns), status.starts < proven.valid_to_ns, toInt64(assumeNotNull(ended_ns)) <= proven.valid_to_ns) AS prevented
FROM
(
    SELECT
        *,
        toInt64(started_ns) AS starts
    FROM md_feed_status
    WHERE state != 'valid'
) AS status
ASOF LEFT JOIN md_feed_proven AS proven ON (status.exchange = proven.exchange) AND (status.symbol = proven.symbol) AND (status.channel = proven.channel) AND (status.starts >= proven.valid_from_ns);

CREATE VIEW md_feed_proven
(
    `exchange` LowCardinality(String) COMMENT 'venue id',
    `symbol` LowCardinality(String) COMMENT 'canonical symbol: BTC-USDT, BTC-USDT-PERP',
    `channel` LowCardinality(String) COMMENT 'book, trades, ...',
    `valid_from_ns` Int64 COMMENT 'proven from here on, receive time in ns since 1970',
    `valid_to_ns` Int64 COMMENT 'proven up to here, receive time in ns since 1970'
)
AS WITH
    edges AS
    (
        SELECT
            exchange,
            symbol,
            channel,
            collector,
            edge.1 AS at,
            edge.2 AS valid,
            edge.3 AS down
        FROM
        (
            SELECT
                exchange,
                symbol,
                channel,
                collector,
                state,
                toInt64(started_ns) AS starts,
                toInt64(ifNull(ended_ns, started_ns)) AS ends
            FROM md_feed_status
            WHERE state IN ('valid', 'down')
        )
        ARRAY JOIN [(starts, state = 'valid', state = 'down'), (ends, -(state = 'valid'), -(state = 'down'))] AS edge
    ),
    stretches AS
    (
        SELECT
            exchange,
            symbol,
            channel,
            at AS starts,
            sum(sum(valid)) OVER told AS is_valid,
            sum(sum(down)) OVER told AS is_down,
            leadInFrame(at, 1, at) OVER following AS ends
        FROM edges
        GROUP BY
            exchange,
            symbol,
            channel,
            collector,
            at
        WINDOW
            told AS (PARTITION BY exchange, symbol, channel, collector ORDER BY at ASC),
            following AS (PARTITION BY exchange, symbol, channel, collector ORDER BY at ASC ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
    ),
    proven AS
    (
        SELECT
            exchange,
            symbol,
            channel,
            starts,
            ends,
            max(ends) OVER (PARTITION BY exchange, symbol, channel ORDER BY starts ASC, ends ASC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reached
        FROM stretches
        WHERE (is_valid > 0) AND (is_down = 0)
    ),
    islands AS
    (
        SELECT
            exchange,
            symbol,
            channel,
            starts,
            ends,
            sum(starts > reached) OVER (PARTITION BY exchange, symbol, channel ORDER BY starts ASC, ends ASC) AS island
        FROM proven
    )
SELECT
    exchange,
    symbol,
    channel,
    min(starts) AS valid_from_ns,
    max(ends) AS valid_to_ns
FROM islands
GROUP BY
    exchange,
    symbol,
    channel,
    island;

CREATE VIEW md_feed_stats
(
    `exchange` LowCardinality(String),
    `conn` LowCardinality(String),
    `timestamp` DateTime64(3, 'UTC'),
    `symbols` UInt32,
    `frames` UInt64,
    `bytes` UInt64,
    `events` UInt64,
    `reconnects` UInt64,
    `renewals` UInt64,
    `gaps` UInt64,
    `dead_letters` UInt64,
    `ignored` Map(LowCardinality(String), UInt64),
    `published` UInt64,
    `failed` UInt64,
    `queue` UInt64,
    `paused_ms` UInt64,
    `latency_p50_ms` Nullable(Float64),
    `latency_p99_ms` Nullable(Float64),
    `venue_lag_ms` Nullable(Float64),
    `limits_met` UInt64,
    `unfamiliar` Map(LowCardinality(String), UInt64),
    `cadence_ms` Map(LowCardinality(String), Float64),
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64,
    `inserted_at` DateTime64(3, 'UTC')
)
AS SELECT *
FROM md_feed_stats_store
FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE VIEW md_feed_status
(
    `exchange` LowCardinality(String),
    `symbol` LowCardinality(String),
    `channel` LowCardinality(String),
    `state` LowCardinality(String),
    `cause` String,
    `started_at` DateTime64(9, 'UTC'),
    `ended_at` Nullable(DateTime64(9, 'UTC')),
    `first_sequence` Nullable(UInt64),
    `last_sequence` Nullable(UInt64),
    `missed` Nullable(UInt64),
    `collector` LowCardinality(String),
    `started_ns` UInt64,
    `ended_ns` Nullable(UInt64),
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64,
    `inserted_at` DateTime64(3, 'UTC')
)
AS SELECT *
FROM md_feed_status_store
FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE VIEW md_funding
(
    `exchange` LowCardinality(String),
    `symbol` LowCardinality(String),
    `rate` Nullable(Float64),
    `mark_price` Nullable(Float64),
    `index_price` Nullable(Float64),
    `next_funding_at` Nullable(DateTime64(3, 'UTC')),
    `timestamp` DateTime64(3, 'UTC'),
    `venue_time` DateTime64(9, 'UTC'),
    `received_at` DateTime64(9, 'UTC'),
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64,
    `inserted_at` DateTime64(3, 'UTC')
)
AS SELECT *
FROM md_funding_store
FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE VIEW md_history_files
(
    `exchange` LowCardinality(String),
    `symbol` LowCardinality(String),
    `target` LowCardinality(String),
    `path` String,
    `sha256` String,
    `rows` UInt64,
    `days` Map(String, UInt64),
    `loaded_at` DateTime64(3, 'UTC')
)
AS SELECT *
FROM md_history_files_store
FINAL;

CREATE VIEW md_instruments
(
    `exchange` LowCardinality(String),
    `symbol` String,
    `venue_symbol` String,
    `category` Nullable(String),
    `base` LowCardinality(String),
    `quote` LowCardinality(String),
    `kind` LowCardinality(String),
    `tick` Nullable(Float64),
    `step` Nullable(Float64),
    `contract_size` Nullable(Float64),
    `multiplier` Nullable(Float64),
    `inverse` Bool,
    `settle` Nullable(String),
    `status` Nullable(String),
    `expiry` Nullable(String),
    `strike` Nullable(Float64),
    `right` Nullable(String),
    `alias_of` Nullable(String),
    `first_seen_at` SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    `last_seen_at` SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64,
    `valid_from` SimpleAggregateFunction(min, DateTime64(3, 'UTC')) COMMENT 'this version holds from here',
    `valid_to` Nullable(SimpleAggregateFunction(min, DateTime64(3, 'UTC'))) COMMENT 'to here, where the next version begins; NULL: it still holds'
)
AS SELECT
    * EXCEPT version,
    first_seen_at AS valid_from,
    leadInFrame(toNullable(first_seen_at)) OVER (PARTITION BY exchange, symbol ORDER BY first_seen_at ASC ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS valid_to
FROM md_instruments_store
FINAL;

CREATE VIEW md_klines
(
    `exchange` LowCardinality(String),
    `symbol` LowCardinality(String),
    `interval` LowCardinality(String),
    `timestamp` DateTime64(3, 'UTC'),
    `close_time` DateTime64(3, 'UTC'),
    `open` Float64,
    `high` Float64,
    `low` Float64,
    `close` Float64,
    `volume` Float64,
    `quote_volume` Float64,
    `trades` UInt64,
    `taker_buy_volume` Float64,
    `taker_buy_quote_volume` Float64,
    `provenance` LowCardinality(String),
    `inserted_at` DateTime64(3, 'UTC')
)
AS SELECT *
FROM md_klines_store
FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE VIEW md_liquidations
(
    `exchange` LowCardinality(String),
    `symbol` LowCardinality(String),
    `id` String,
    `price` Float64,
    `qty` Float64,
    `raw_size` Nullable(Float64),
    `side` LowCardinality(String),
    `timestamp` DateTime64(3, 'UTC'),
    `venue_time` DateTime64(9, 'UTC'),
    `received_at` DateTime64(9, 'UTC'),
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64,
    `inserted_at` DateTime64(3, 'UTC')
)
AS SELECT *
FROM md_liquidations_store
FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE VIEW md_messages
(
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64,
    `dataset` LowCardinality(String),
    `exchange` LowCardinality(String),
    `symbol` LowCardinality(String),
    `timestamp` DateTime64(3, 'UTC'),
    `key` UInt32,
    `inserted_at` DateTime('UTC')
)
AS SELECT *
FROM md_messages_store
FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE VIEW md_orderbook_depth
(
    `exchange` LowCardinality(String),
    `symbol` LowCardinality(String),
    `b` Array(Float64),
    `bv` Array(Float64),
    `a` Array(Float64),
    `av` Array(Float64),
    `raw_bv` Array(Float64),
    `raw_av` Array(Float64),
    `bid_depth_10bps` Nullable(Float64),
    `ask_depth_10bps` Nullable(Float64),
    `timestamp` DateTime64(3, 'UTC'),
    `sequence` UInt64,
    `previous_sequence` Nullable(UInt64),
    `venue_time` DateTime64(9, 'UTC'),
    `received_at` DateTime64(9, 'UTC'),
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64,
    `inserted_at` DateTime64(3, 'UTC')
)
AS SELECT *
FROM md_orderbook_depth_store
FINAL
WHERE NOT shadow
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE VIEW md_quotes
(
    `exchange` LowCardinality(String),
    `symbol` LowCardinality(String),
    `bid_price` Nullable(Float64),
    `bid_size` Nullable(Float64),
    `ask_price` Nullable(Float64),
    `ask_size` Nullable(Float64),
    `raw_bid_size` Nullable(Float64),
    `raw_ask_size` Nullable(Float64),
    `sequence` UInt64,
    `timestamp` DateTime64(3, 'UTC'),
    `venue_time` DateTime64(9, 'UTC'),
    `received_at` DateTime64(9, 'UTC'),
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64,
    `inserted_at` DateTime64(3, 'UTC')
)
AS SELECT *
FROM md_quotes_store
FINAL
WHERE NOT shadow
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE VIEW md_signals
(
    `exchange` LowCardinality(String),
    `symbol` LowCardinality(String),
    `signal` LowCardinality(String),
    `id` String,
    `exchanges` Array(LowCardinality(String)),
    `direction` LowCardinality(String),
    `value` Nullable(Float64),
    `threshold` Nullable(Float64),
    `unit` LowCardinality(String),
    `evidence` String,
    `timestamp` DateTime64(3, 'UTC'),
    `received_at` Nullable(DateTime64(9, 'UTC')),
    `found_at` Nullable(DateTime64(9, 'UTC')),
    `latency_venue_ms` Nullable(Float64),
    `latency_received_ms` Nullable(Float64),
    `message` String,
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64,
    `inserted_at` DateTime64(3, 'UTC')
)
AS SELECT *
FROM md_signals_store
FINAL
LIMIT 1 BY
    exchange,
    symbol,
    signal,
    timestamp,
    if(id = '', (_topic, _partition, toString(_offset)), (id, 0, ''))
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE VIEW md_spread_hourly
(
    `hour` DateTime('UTC'),
    `exchange` LowCardinality(String),
    `symbol` LowCardinality(String),
    `updates` UInt64,
    `coverage` Float64,
    `spread` Nullable(Float64),
    `spread_median` Nullable(Float64),
    `spread_p95` Nullable(Float64),
    `spread_p99` Nullable(Float64),
    `spread_bps` Nullable(Float64),
    `spread_bps_median` Nullable(Float64),
    `spread_bps_p95` Nullable(Float64),
    `spread_bps_p99` Nullable(Float64),
    `mid_open` Nullable(Float64),
    `mid_high` Nullable(Float64),
    `mid_low` Nullable(Float64),
    `mid_close` Nullable(Float64),
    `imbalance` Nullable(Float64),
    `bid_depth_10bps_base` Nullable(Float64),
    `bid_depth_10bps_quote` Nullable(Float64),
    `ask_depth_10bps_base` Nullable(Float64),
    `ask_depth_10bps_quote` Nullable(Float64),
    `realized_volatility` Nullable(Float64),
    `order_flow_imbalance` Float64,
    `inserted_at` DateTime64(3, 'UTC')
)
AS SELECT *
FROM md_spread_hourly_store
FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE VIEW md_top_of_book
(
    `exchange` LowCardinality(String),
    `symbol` LowCardinality(String),
    `timestamp` DateTime64(3, 'UTC'),
    `sequence` UInt64,
    `bid_price` Nullable(Float64) COMMENT 'best bid; NULL while the side is empty',
    `bid_size` Nullable(Float64) COMMENT 'size at the best bid, base units; NULL while the side is empty',
    `ask_price` Nullable(Float64) COMMENT 'best ask; NULL while the side is empty',
    `ask_size` Nullable(Float64) COMMENT 'size at the best ask, base units; NULL while the side is empty',
    `mid` Nullable(Float64) COMMENT '(bid + ask) / 2, quote units; NULL while a side is empty',
    `spread` Nullable(Float64) COMMENT 'ask - bid, quote units; NULL while a side is empty',
    `spread_bps` Nullable(Float64) COMMENT 'spread / mid * 10000; NULL while a side is empty',
    `imbalance` Nullable(Float64) COMMENT '(bid size - ask size) / (bid size + ask size), -1 to 1; NULL while a side is empty',
    `venue_time` DateTime64(9, 'UTC'),
    `received_at` DateTime64(9, 'UTC'),
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64,
    `inserted_at` DateTime64(3, 'UTC')
)
AS SELECT
    exchange,
    symbol,
    timestamp,
    sequence,
    nullIf(bid_price, 0) AS bid_price,
    nullIf(bid_size, 0) AS bid_size,
    nullIf(ask_price, 0) AS ask_price,
    nullIf(ask_size, 0) AS ask_size,
    (bid_price + ask_price) / 2 AS mid,
    ask_price - bid_price AS spread,
    (10000 * (ask_price - bid_price)) / ((bid_price + ask_price) / 2) AS spread_bps,
    (bid_size - ask_size) / (bid_size + ask_size) AS imbalance,
    venue_time,
    received_at,
    _topic,
    _partition,
    _offset,
    inserted_at
FROM md_top_of_book_store
FINAL
WHERE NOT shadow
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE VIEW md_top_of_book_minute
(
    `minute` DateTime('UTC'),
    `exchange` LowCardinality(String),
    `symbol` LowCardinality(String),
    `updates` UInt64,
    `coverage` Float64,
    `mid_open` Nullable(Float64),
    `mid_high` Nullable(Float64),
    `mid_low` Nullable(Float64),
    `mid_close` Nullable(Float64),
    `spread` Nullable(Float64),
    `spread_bps` Nullable(Float64),
    `inserted_at` DateTime64(3, 'UTC')
)
AS SELECT *
FROM md_top_of_book_minute_store
FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE VIEW md_trades
(
    `exchange` LowCardinality(String),
    `symbol` LowCardinality(String),
    `id` String,
    `price` Float64,
    `qty` Float64,
    `raw_size` Nullable(Float64),
    `side` LowCardinality(String),
    `first_id` Nullable(String),
    `count` Nullable(UInt32),
    `timestamp` DateTime64(3, 'UTC'),
    `venue_time` DateTime64(9, 'UTC'),
    `received_at` DateTime64(9, 'UTC'),
    `provenance` LowCardinality(String),
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64,
    `inserted_at` DateTime64(3, 'UTC')
)
AS SELECT *
FROM md_trades_store
FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE VIEW md_trades_minute
(
    `minute` DateTime('UTC'),
    `exchange` LowCardinality(String),
    `symbol` LowCardinality(String),
    `open` Float64,
    `high` Float64,
    `low` Float64,
    `close` Float64,
    `volume` Float64,
    `quote_volume` Float64,
    `buy_volume` Float64,
    `trades` UInt64,
    `vwap` Float64,
    `inserted_at` DateTime64(3, 'UTC')
)
AS SELECT *
FROM md_trades_minute_store
FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE TABLE md_dead_letter_stream
(
    `exchange` String COMMENT 'venue id',
    `reason` String COMMENT 'short word',
    `error` String COMMENT 'what was wrong',
    `frame` String COMMENT 'verbatim',
    `encoding` String COMMENT 'base64 or empty',
    `conn` String COMMENT 'connection',
    `frame_bytes` UInt64 COMMENT 'length of a frame that was cut, else 0',
    `frame_sha256` String COMMENT 'of a frame that was cut, else empty',
    `received_ns` Int64 COMMENT 'receive time, ns',
    `_topic` LowCardinality(String) COMMENT 'Kafka topic',
    `_partition` UInt32 COMMENT 'Kafka partition',
    `_offset` UInt64 COMMENT 'Kafka offset',
    `logged_ms` Int64 COMMENT 'when the message reached the broker, ms',
    `message` String COMMENT 'the whole message',
    `refusal` LowCardinality(String) COMMENT 'why it is not stored; empty when it is'
)
ENGINE = `Null`;

CREATE MATERIALIZED VIEW md_dead_letter_stream_frames TO md_dead_letter_store
(
    `exchange` String,
    `reason` String,
    `error` String,
    `frame` String,
    `encoding` String,
    `conn` String,
    `frame_bytes` UInt64,
    `frame_sha256` String,
    `timestamp` DateTime64(3, 'UTC'),
    `received_at` DateTime64(9, 'UTC'),
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64
)
AS SELECT
    exchange,
    reason,
    error,
    frame,
    encoding,
    conn,
    frame_bytes,
    frame_sha256,
    fromUnixTimestamp64Milli(intDiv(received_ns, 1000000), 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(received_ns, 'UTC') AS received_at,
    _topic,
    _partition,
    _offset
FROM md_dead_letter_stream AS stream
WHERE refusal = '';

CREATE TABLE md_dead_letter_stream_kafka
(
    `message` String COMMENT 'the whole message'
)
ENGINE = Kafka
SETTINGS kafka_broker_list = '...', kafka_topic_list = '...', kafka_group_name = '...', kafka_format = 'RawBLOB', kafka_num_consumers = 1, kafka_thread_per_consumer = 1, kafka_max_block_size = 65536, kafka_flush_interval_ms = 500, kafka_poll_timeout_ms = 100, kafka_handle_error_mode = 'stream';

CREATE MATERIALIZED VIEW md_dead_letter_stream_kafka_view TO md_dead_letter_stream
(
    `exchange` String,
    `reason` String,
    `error` String,
    `frame` String,
    `encoding` String,
    `conn` String,
    `frame_bytes` UInt64,
    `frame_sha256` String,
    `received_ns` Int64,
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64,
    `logged_ms` Int64,
    `message` String,
    `refusal` String
)
AS SELECT
    exchange,
    reason,
    error,
    frame,
    encoding,
    conn,
    frame_bytes,
    frame_sha256,
    if(received_ns > 0, received_ns, logged_ms * 1000000) AS received_ns,
    _topic,
    toUInt32(_partition) AS _partition,
    _offset,
    ifNull(toUnixTimestamp64Milli(_timestamp_ms), 0) AS logged_ms,
    message,
    multiIf(sound AND (intDiv(received_ns, 1000000) >= 1230768000000) AND (intDiv(received_ns, 1000000) < 4102444800000) AND (received_ns < 4102444800000000000) AND ((fields.received_ns <= 0) OR (intDiv(received_ns, 1000000) <= (intDiv(fields.received_ns, 1000000) + 86400000))), '', sound, 'impossible_time', isValidJSON(message), 'incomplete_message', 'unreadable_message') AS refusal
FROM
(
    SELECT
        message,
        _topic,
        _partition,
        _offset,
        _timestamp_ms,
        JSONExtract(message, 'Tuple(exchange String, reason String, error String, frame String, encoding String, conn String, frame_bytes UInt64, frame_sha256 String, received_ns Int64)') AS fields,
        fields.exchange AS exchange,
        fields.reason AS reason,
        fields.error AS error,
        fields.frame AS frame,
        fields.encoding AS encoding,
        fields.conn AS conn,
        fields.frame_bytes AS frame_bytes,
        fields.frame_sha256 AS frame_sha256,
        fields.received_ns AS received_ns,
        reason != '' AS sound
    FROM md_dead_letter_stream_kafka
);

CREATE MATERIALIZED VIEW md_dead_letter_stream_refused TO md_dead_letter_store
(
    `exchange` String,
    `reason` LowCardinality(String),
    `error` String,
    `frame` String,
    `timestamp` DateTime64(3, 'UTC'),
    `received_at` DateTime64(9, 'UTC'),
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64
)
AS SELECT
    exchange,
    refusal AS reason,
    multiIf(refusal = 'impossible_time', 'its time is before 2009, after 2100, or more than a day after it was received', refusal = 'incomplete_message', 'a field is missing or has an impossible value', 'not JSON') AS error,
    message AS frame,
    fromUnixTimestamp64Milli(logged_ms, 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(logged_ms * 1000000, 'UTC') AS received_at,
    _topic,
    _partition,
    _offset
FROM md_dead_letter_stream AS stream
WHERE refusal != '';

CREATE TABLE md_feed_stats_stream
(
    `exchange` String COMMENT 'venue id',
    `conn` String COMMENT 'connection',
    `ts` Int64 COMMENT 'collector time, ms',
    `symbols` UInt32 COMMENT 'counter',
    `frames` UInt64 COMMENT 'counter',
    `bytes` UInt64 COMMENT 'counter',
    `events` UInt64 COMMENT 'counter',
    `reconnects` UInt64 COMMENT 'counter',
    `renewals` UInt64 COMMENT 'counter',
    `gaps` UInt64 COMMENT 'counter',
    `dead_letters` UInt64 COMMENT 'counter',
    `published` UInt64 COMMENT 'counter',
    `failed` UInt64 COMMENT 'counter',
    `queue` UInt64 COMMENT 'waiting',
    `paused_ms` UInt64 COMMENT 'counter',
    `latency_p50_ms` Nullable(Float64) COMMENT 'ms',
    `latency_p99_ms` Nullable(Float64) COMMENT 'ms',
    `venue_lag_ms` Nullable(Float64) COMMENT 'ms',
    `ignored` Map(String, UInt64) COMMENT 'frames dropped by design, by kind; counters',
    `limits_met` UInt64 COMMENT 'counter',
    `unfamiliar` Map(String, UInt64) COMMENT 'frames with a field never seen before, by field; counters',
    `cadence_ms` Map(String, Float64) COMMENT 'ms, by kind of channel',
    `received_ns` Int64 COMMENT 'receive time, ns',
    `_topic` LowCardinality(String) COMMENT 'Kafka topic',
    `_partition` UInt32 COMMENT 'Kafka partition',
    `_offset` UInt64 COMMENT 'Kafka offset',
    `logged_ms` Int64 COMMENT 'when the message reached the broker, ms',
    `message` String COMMENT 'the whole message',
    `refusal` LowCardinality(String) COMMENT 'why it is not stored; empty when it is'
)
ENGINE = `Null`;

CREATE TABLE md_feed_stats_stream_kafka
(
    `message` String COMMENT 'the whole message'
)
ENGINE = Kafka
SETTINGS kafka_broker_list = '...', kafka_topic_list = '...', kafka_group_name = '...', kafka_format = 'RawBLOB', kafka_num_consumers = 1, kafka_thread_per_consumer = 1, kafka_max_block_size = 65536, kafka_flush_interval_ms = 500, kafka_poll_timeout_ms = 100, kafka_handle_error_mode = 'stream';

CREATE MATERIALIZED VIEW md_feed_stats_stream_kafka_view TO md_feed_stats_stream
(
    `exchange` String,
    `conn` String,
    `ts` Int64,
    `symbols` UInt32,
    `frames` UInt64,
    `bytes` UInt64,
    `events` UInt64,
    `reconnects` UInt64,
    `renewals` UInt64,
    `gaps` UInt64,
    `dead_letters` UInt64,
    `published` UInt64,
    `failed` UInt64,
    `queue` UInt64,
    `paused_ms` UInt64,
    `latency_p50_ms` Nullable(Float64),
    `latency_p99_ms` Nullable(Float64),
    `venue_lag_ms` Nullable(Float64),
    `ignored` Map(String, UInt64),
    `limits_met` UInt64,
    `unfamiliar` Map(String, UInt64),
    `cadence_ms` Map(String, Float64),
    `received_ns` Int64,
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64,
    `logged_ms` Int64,
    `message` String,
    `refusal` String
)
AS SELECT
    exchange,
    conn,
    ts,
    symbols,
    frames,
    bytes,
    events,
    reconnects,
    renewals,
    gaps,
    dead_letters,
    published,
    failed,
    queue,
    paused_ms,
    latency_p50_ms,
    latency_p99_ms,
    venue_lag_ms,
    ignored,
    limits_met,
    unfamiliar,
    cadence_ms,
    if(received_ns > 0, received_ns, logged_ms * 1000000) AS received_ns,
    _topic,
    toUInt32(_partition) AS _partition,
    _offset,
    ifNull(toUnixTimestamp64Milli(_timestamp_ms), 0) AS logged_ms,
    message,
    multiIf(sound AND (ts >= 1230768000000) AND (ts < 4102444800000) AND (received_ns < 4102444800000000000) AND ((fields.received_ns <= 0) OR (ts <= (intDiv(fields.received_ns, 1000000) + 86400000))), '', sound, 'impossible_time', isValidJSON(message), 'incomplete_message', 'unreadable_message') AS refusal
FROM
(
    SELECT
        message,
        _topic,
        _partition,
        _offset,
        _timestamp_ms,
        JSONExtract(message, 'Tuple(exchange String, conn String, ts Int64, symbols UInt32, frames UInt64, bytes UInt64, events UInt64, reconnects UInt64, renewals UInt64, gaps UInt64, dead_letters UInt64, published UInt64, failed UInt64, queue UInt64, paused_ms UInt64, latency_p50_ms Nullable(Float64), latency_p99_ms Nullable(Float64), venue_lag_ms Nullable(Float64), ignored Map(String, UInt64), limits_met UInt64, unfamiliar Map(String, UInt64), cadence_ms Map(String, Float64), received_ns Int64)') AS fields,
        fields.exchange AS exchange,
        fields.conn AS conn,
        fields.ts AS ts,
        fields.symbols AS symbols,
        fields.frames AS frames,
        fields.bytes AS bytes,
        fields.events AS events,
        fields.reconnects AS reconnects,
        fields.renewals AS renewals,
        fields.gaps AS gaps,
        fields.dead_letters AS dead_letters,
        fields.published AS published,
        fields.failed AS failed,
        fields.queue AS queue,
        fields.paused_ms AS paused_ms,
        fields.latency_p50_ms AS latency_p50_ms,
        fields.latency_p99_ms AS latency_p99_ms,
        fields.venue_lag_ms AS venue_lag_ms,
        fields.ignored AS ignored,
        fields.limits_met AS limits_met,
        fields.unfamiliar AS unfamiliar,
        fields.cadence_ms AS cadence_ms,
        fields.received_ns AS received_ns,
        (exchange != '') AND (conn != '') AS sound
    FROM md_feed_stats_stream_kafka
);

CREATE MATERIALIZED VIEW md_feed_stats_stream_refused TO md_dead_letter_store
(
    `exchange` String,
    `reason` LowCardinality(String),
    `error` String,
    `frame` String,
    `timestamp` DateTime64(3, 'UTC'),
    `received_at` DateTime64(9, 'UTC'),
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64
)
AS SELECT
    exchange,
    refusal AS reason,
    multiIf(refusal = 'impossible_time', 'its time is before 2009, after 2100, or more than a day after it was received', refusal = 'incomplete_message', 'a field is missing or has an impossible value', 'not JSON') AS error,
    message AS frame,
    fromUnixTimestamp64Milli(logged_ms, 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(logged_ms * 1000000, 'UTC') AS received_at,
    _topic,
    _partition,
    _offset
FROM md_feed_stats_stream AS stream
WHERE refusal != '';

CREATE MATERIALIZED VIEW md_feed_stats_stream_stats TO md_feed_stats_store
(
    `exchange` String,
    `conn` String,
    `timestamp` DateTime64(3, 'UTC'),
    `symbols` UInt32,
    `frames` UInt64,
    `bytes` UInt64,
    `events` UInt64,
    `reconnects` UInt64,
    `renewals` UInt64,
    `gaps` UInt64,
    `dead_letters` UInt64,
    `published` UInt64,
    `failed` UInt64,
    `queue` UInt64,
    `paused_ms` UInt64,
    `latency_p50_ms` Nullable(Float64),
    `latency_p99_ms` Nullable(Float64),
    `venue_lag_ms` Nullable(Float64),
    `ignored` Map(String, UInt64),
    `limits_met` UInt64,
    `unfamiliar` Map(String, UInt64),
    `cadence_ms` Map(String, Float64),
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64
)
AS SELECT
    exchange,
    conn,
    fromUnixTimestamp64Milli(ts, 'UTC') AS timestamp,
    symbols,
    frames,
    bytes,
    events,
    reconnects,
    renewals,
    gaps,
    dead_letters,
    published,
    failed,
    queue,
    paused_ms,
    latency_p50_ms,
    latency_p99_ms,
    venue_lag_ms,
    ignored,
    limits_met,
    unfamiliar,
    cadence_ms,
    _topic,
    _partition,
    _offset
FROM md_feed_stats_stream AS stream
WHERE refusal = '';

CREATE TABLE md_feed_status_stream
(
    `exchange` String COMMENT 'venue id',
    `symbol` String COMMENT 'canonical symbol',
    `channel` String COMMENT 'book, trades, ...',
    `state` String COMMENT 'valid, gap, resync, stale, down',
    `cause` String COMMENT 'why',
    `started_ns` UInt64 COMMENT 'begin, ns',
    `ended_ns` Nullable(UInt64) COMMENT 'known to hold until, ns',
    `first_sequence` Nullable(UInt64) COMMENT 'first update id',
    `last_sequence` Nullable(UInt64) COMMENT 'last update id',
    `missed` Nullable(UInt64) COMMENT 'updates missing',
    `collector` String COMMENT 'A, B ...',
    `received_ns` Int64 COMMENT 'receive time, ns',
    `_topic` LowCardinality(String) COMMENT 'Kafka topic',
    `_partition` UInt32 COMMENT 'Kafka partition',
    `_offset` UInt64 COMMENT 'Kafka offset',
    `logged_ms` Int64 COMMENT 'when the message reached the broker, ms',
    `message` String COMMENT 'the whole message',
    `refusal` LowCardinality(String) COMMENT 'why it is not stored; empty when it is'
)
ENGINE = `Null`;

CREATE TABLE md_feed_status_stream_kafka
(
    `message` String COMMENT 'the whole message'
)
ENGINE = Kafka
SETTINGS kafka_broker_list = '...', kafka_topic_list = '...', kafka_group_name = '...', kafka_format = 'RawBLOB', kafka_num_consumers = 1, kafka_thread_per_consumer = 1, kafka_max_block_size = 65536, kafka_flush_interval_ms = 500, kafka_poll_timeout_ms = 100, kafka_handle_error_mode = 'stream';

CREATE MATERIALIZED VIEW md_feed_status_stream_kafka_view TO md_feed_status_stream
(
    `exchange` String,
    `symbol` String,
    `channel` String,
    `state` String,
    `cause` String,
    `started_ns` UInt64,
    `ended_ns` Nullable(UInt64),
    `first_sequence` Nullable(UInt64),
    `last_sequence` Nullable(UInt64),
    `missed` Nullable(UInt64),
    `collector` String,
    `received_ns` Int64,
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64,
    `logged_ms` Int64,
    `message` String,
    `refusal` String
)
AS SELECT
    exchange,
    symbol,
    channel,
    state,
    cause,
    started_ns,
    ended_ns,
    first_sequence,
    last_sequence,
    missed,
    collector,
    if(received_ns > 0, received_ns, logged_ms * 1000000) AS received_ns,
    _topic,
    toUInt32(_partition) AS _partition,
    _offset,
    ifNull(toUnixTimestamp64Milli(_timestamp_ms), 0) AS logged_ms,
    message,
    multiIf(sound AND (intDiv(started_ns, 1000000) >= 1230768000000) AND (intDiv(started_ns, 1000000) < 4102444800000) AND (received_ns < 4102444800000000000) AND ((fields.received_ns <= 0) OR (intDiv(started_ns, 1000000) <= (intDiv(fields.received_ns, 1000000) + 86400000))), '', sound, 'impossible_time', isValidJSON(message), 'incomplete_message', 'unreadable_message') AS refusal
FROM
(
    SELECT
        message,
        _topic,
        _partition,
        _offset,
        _timestamp_ms,
        JSONExtract(message, 'Tuple(exchange String, symbol String, channel String, state String, cause String, started_ns UInt64, ended_ns Nullable(UInt64), first_sequence Nullable(UInt64), last_sequence Nullable(UInt64), missed Nullable(UInt64), collector String, received_ns Int64)') AS fields,
        fields.exchange AS exchange,
        fields.symbol AS symbol,
        fields.channel AS channel,
        fields.state AS state,
        fields.cause AS cause,
        fields.started_ns AS started_ns,
        fields.ended_ns AS ended_ns,
        fields.first_sequence AS first_sequence,
        fields.last_sequence AS last_sequence,
        fields.missed AS missed,
        fields.collector AS collector,
        fields.received_ns AS received_ns,
        (exchange != '') AND (symbol != '') AND (channel != '') AND (state IN ('valid', 'gap', 'resync', 'stale', 'down')) AS sound
    FROM md_feed_status_stream_kafka
);

CREATE MATERIALIZED VIEW md_feed_status_stream_refused TO md_dead_letter_store
(
    `exchange` String,
    `reason` LowCardinality(String),
    `error` String,
    `frame` String,
    `timestamp` DateTime64(3, 'UTC'),
    `received_at` DateTime64(9, 'UTC'),
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64
)
AS SELECT
    exchange,
    refusal AS reason,
    multiIf(refusal = 'impossible_time', 'its time is before 2009, after 2100, or more than a day after it was received', refusal = 'incomplete_message', 'a field is missing or has an impossible value', 'not JSON') AS error,
    message AS frame,
    fromUnixTimestamp64Milli(logged_ms, 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(logged_ms * 1000000, 'UTC') AS received_at,
    _topic,
    _partition,
    _offset
FROM md_feed_status_stream AS stream
WHERE refusal != '';

CREATE MATERIALIZED VIEW md_feed_status_stream_status TO md_feed_status_store
(
    `exchange` String,
    `symbol` String,
    `channel` String,
    `state` String,
    `cause` String,
    `started_at` DateTime64(9, 'UTC'),
    `ended_at` Nullable(DateTime64(9, 'UTC')),
    `first_sequence` Nullable(UInt64),
    `last_sequence` Nullable(UInt64),
    `missed` Nullable(UInt64),
    `collector` String,
    `started_ns` UInt64,
    `ended_ns` Nullable(UInt64),
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64
)
AS SELECT
    exchange,
    symbol,
    channel,
    state,
    cause,
    fromUnixTimestamp64Nano(toInt64(started_ns), 'UTC') AS started_at,
    fromUnixTimestamp64Nano(toInt64(ended_ns), 'UTC') AS ended_at,
    first_sequence,
    last_sequence,
    missed,
    collector,
    started_ns,
    ended_ns,
    _topic,
    _partition,
    _offset
FROM md_feed_status_stream AS stream
WHERE refusal = '';

CREATE TABLE md_funding_stream
(
    `exchange` String COMMENT 'venue id',
    `symbol` String COMMENT 'canonical symbol',
    `rate` Nullable(Float64) COMMENT 'fraction per interval',
    `mark_price` Nullable(Float64) COMMENT 'quote units',
    `index_price` Nullable(Float64) COMMENT 'quote units',
    `next_funding_ts` Nullable(Int64) COMMENT 'next payment, ms',
    `ts` Int64 COMMENT 'venue time, ms',
    `venue_ns` Int64 COMMENT 'venue time, ns',
    `received_ns` Int64 COMMENT 'receive time, ns',
    `_topic` LowCardinality(String) COMMENT 'Kafka topic',
    `_partition` UInt32 COMMENT 'Kafka partition',
    `_offset` UInt64 COMMENT 'Kafka offset',
    `logged_ms` Int64 COMMENT 'when the message reached the broker, ms',
    `message` String COMMENT 'the whole message',
    `refusal` LowCardinality(String) COMMENT 'why it is not stored; empty when it is'
)
ENGINE = `Null`;

CREATE MATERIALIZED VIEW md_funding_stream_funding TO md_funding_store
(
    `exchange` String,
    `symbol` String,
    `rate` Nullable(Float64),
    `mark_price` Nullable(Float64),
    `index_price` Nullable(Float64),
    `next_funding_at` Nullable(DateTime64(3, 'UTC')),
    `timestamp` DateTime64(3, 'UTC'),
    `venue_time` DateTime64(9, 'UTC'),
    `received_at` DateTime64(9, 'UTC'),
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64
)
AS SELECT
    exchange,
    symbol,
    rate,
    mark_price,
    index_price,
    fromUnixTimestamp64Milli(next_funding_ts, 'UTC') AS next_funding_at,
    fromUnixTimestamp64Milli(ts, 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(venue_ns, 'UTC') AS venue_time,
    fromUnixTimestamp64Nano(received_ns, 'UTC') AS received_at,
    _topic,
    _partition,
    _offset
FROM md_funding_stream AS stream
WHERE refusal = '';

CREATE TABLE md_funding_stream_kafka
(
    `message` String COMMENT 'the whole message'
)
ENGINE = Kafka
SETTINGS kafka_broker_list = '...', kafka_topic_list = '...', kafka_group_name = '...', kafka_format = 'RawBLOB', kafka_num_consumers = 1, kafka_thread_per_consumer = 1, kafka_max_block_size = 65536, kafka_flush_interval_ms = 500, kafka_poll_timeout_ms = 100, kafka_handle_error_mode = 'stream';

CREATE MATERIALIZED VIEW md_funding_stream_kafka_view TO md_funding_stream
(
    `exchange` String,
    `symbol` String,
    `rate` Nullable(Float64),
    `mark_price` Nullable(Float64),
    `index_price` Nullable(Float64),
    `next_funding_ts` Nullable(Int64),
    `ts` Int64,
    `venue_ns` Int64,
    `received_ns` Int64,
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64,
    `logged_ms` Int64,
    `message` String,
    `refusal` String
)
AS SELECT
    exchange,
    symbol,
    rate,
    mark_price,
    index_price,
    next_funding_ts,
    ts,
    if(venue_ns > 0, venue_ns, ts * 1000000) AS venue_ns,
    if(received_ns > 0, received_ns, logged_ms * 1000000) AS received_ns,
    _topic,
    toUInt32(_partition) AS _partition,
    _offset,
    ifNull(toUnixTimestamp64Milli(_timestamp_ms), 0) AS logged_ms,
    message,
    multiIf(sound AND (ts >= 1230768000000) AND (ts < 4102444800000) AND (received_ns < 4102444800000000000) AND ((fields.received_ns <= 0) OR (ts <= (intDiv(fields.received_ns, 1000000) + 86400000))), '', sound, 'impossible_time', isValidJSON(message), 'incomplete_message', 'unreadable_message') AS refusal
FROM
(
    SELECT
        message,
        _topic,
        _partition,
        _offset,
        _timestamp_ms,
        JSONExtract(message, 'Tuple(exchange String, symbol String, rate Nullable(Float64), mark_price Nullable(Float64), index_price Nullable(Float64), next_funding_ts Nullable(Int64), ts Int64, venue_ns Int64, received_ns Int64)') AS fields,
        fields.exchange AS exchange,
        fields.symbol AS symbol,
        fields.rate AS rate,
        fields.mark_price AS mark_price,
        fields.index_price AS index_price,
        fields.next_funding_ts AS next_funding_ts,
        fields.ts AS ts,
        fields.venue_ns AS venue_ns,
        fields.received_ns AS received_ns,
        (exchange != '') AND (symbol != '') AS sound
    FROM md_funding_stream_kafka
);

CREATE MATERIALIZED VIEW md_funding_stream_refused TO md_dead_letter_store
(
    `exchange` String,
    `reason` LowCardinality(String),
    `error` String,
    `frame` String,
    `timestamp` DateTime64(3, 'UTC'),
    `received_at` DateTime64(9, 'UTC'),
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64
)
AS SELECT
    exchange,
    refusal AS reason,
    multiIf(refusal = 'impossible_time', 'its time is before 2009, after 2100, or more than a day after it was received', refusal = 'incomplete_message', 'a field is missing or has an impossible value', 'not JSON') AS error,
    message AS frame,
    fromUnixTimestamp64Milli(logged_ms, 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(logged_ms * 1000000, 'UTC') AS received_at,
    _topic,
    _partition,
    _offset
FROM md_funding_stream AS stream
WHERE refusal != '';

CREATE TABLE md_increments_stream
(
    `exchange` String COMMENT 'venue id',
    `symbol` String COMMENT 'canonical symbol',
    `kind` String COMMENT 'snapshot or update',
    `b` Array(Float64) COMMENT 'bid prices',
    `bv` Array(Float64) COMMENT 'bid sizes',
    `a` Array(Float64) COMMENT 'ask prices',
    `av` Array(Float64) COMMENT 'ask sizes',
    `timestamp` Int64 COMMENT 'venue time, ms',
    `first_sequence` Nullable(UInt64) COMMENT 'first update id',
    `sequence` UInt64 COMMENT 'update id',
    `previous_sequence` Nullable(UInt64) COMMENT 'update id before',
    `venue_ns` Int64 COMMENT 'venue time, ns',
    `received_ns` Int64 COMMENT 'receive time, ns',
    `_topic` LowCardinality(String) COMMENT 'Kafka topic',
    `_partition` UInt32 COMMENT 'Kafka partition',
    `_offset` UInt64 COMMENT 'Kafka offset',
    `logged_ms` Int64 COMMENT 'when the message reached the broker, ms',
    `message` String COMMENT 'the whole message',
    `refusal` LowCardinality(String) COMMENT 'why it is not stored; empty when it is'
)
ENGINE = `Null`;

CREATE MATERIALIZED VIEW md_increments_stream_changes TO md_book_increments_store
(
    `exchange` String,
    `symbol` String,
    `kind` String,
    `b` Array(Float64),
    `bv` Array(Float64),
    `a` Array(Float64),
    `av` Array(Float64),
    `first_sequence` Nullable(UInt64),
    `sequence` UInt64,
    `previous_sequence` Nullable(UInt64),
    `timestamp` DateTime64(3, 'UTC'),
    `venue_time` DateTime64(9, 'UTC'),
    `received_at` DateTime64(9, 'UTC'),
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64
)
AS SELECT
    exchange,
    symbol,
    kind,
    b,
    bv,
    a,
    av,
    first_sequence,
    sequence,
    previous_sequence,
    fromUnixTimestamp64Milli(stream.timestamp, 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(venue_ns, 'UTC') AS venue_time,
    fromUnixTimestamp64Nano(received_ns, 'UTC') AS received_at,
    _topic,
    _partition,
    _offset
FROM md_increments_stream AS stream
WHERE refusal = '';

CREATE TABLE md_increments_stream_kafka
(
    `message` String COMMENT 'the whole message'
)
ENGINE = Kafka
SETTINGS kafka_broker_list = '...', kafka_topic_list = '...', kafka_group_name = '...', kafka_format = 'RawBLOB', kafka_num_consumers = 1, kafka_thread_per_consumer = 1, kafka_max_block_size = 65536, kafka_flush_interval_ms = 500, kafka_poll_timeout_ms = 100, kafka_handle_error_mode = 'stream';

CREATE MATERIALIZED VIEW md_increments_stream_kafka_view TO md_increments_stream
(
    `exchange` String,
    `symbol` String,
    `kind` String,
    `b` Array(Float64),
    `bv` Array(Float64),
    `a` Array(Float64),
    `av` Array(Float64),
    `timestamp` Int64,
    `first_sequence` Nullable(UInt64),
    `sequence` UInt64,
    `previous_sequence` Nullable(UInt64),
    `venue_ns` Int64,
    `received_ns` Int64,
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64,
    `logged_ms` Int64,
    `message` String,
    `refusal` String
)
AS SELECT
    exchange,
    symbol,
    kind,
    b,
    bv,
    a,
    av,
    timestamp,
    first_sequence,
    sequence,
    previous_sequence,
    if(venue_ns > 0, venue_ns, timestamp * 1000000) AS venue_ns,
    if(received_ns > 0, received_ns, logged_ms * 1000000) AS received_ns,
    _topic,
    toUInt32(_partition) AS _partition,
    _offset,
    ifNull(toUnixTimestamp64Milli(_timestamp_ms), 0) AS logged_ms,
    message,
    multiIf(sound AND (timestamp >= 1230768000000) AND (timestamp < 4102444800000) AND (received_ns < 4102444800000000000) AND ((fields.received_ns <= 0) OR (timestamp <= (intDiv(fields.received_ns, 1000000) + 86400000))), '', sound, 'impossible_time', isValidJSON(message), 'incomplete_message', 'unreadable_message') AS refusal
FROM
(
    SELECT
        message,
        _topic,
        _partition,
        _offset,
        _timestamp_ms,
        JSONExtract(message, 'Tuple(exchange String, symbol String, kind String, b Array(Float64), bv Array(Float64), a Array(Float64), av Array(Float64), timestamp Int64, first_sequence Nullable(UInt64), sequence UInt64, previous_sequence Nullable(UInt64), venue_ns Int64, received_ns Int64)') AS fields,
        fields.exchange AS exchange,
        fields.symbol AS symbol,
        fields.kind AS kind,
        fields.b AS b,
        fields.bv AS bv,
        fields.a AS a,
        fields.av AS av,
        fields.timestamp AS timestamp,
        fields.first_sequence AS first_sequence,
        fields.sequence AS sequence,
        fields.previous_sequence AS previous_sequence,
        fields.venue_ns AS venue_ns,
        fields.received_ns AS received_ns,
        (exchange != '') AND (symbol != '') AND (sequence > 0) AND (kind IN ('snapshot', 'update')) AND ((kind = 'snapshot') OR (previous_sequence IS NOT NULL)) AND (length(b) = length(bv)) AND (length(a) = length(av)) AND (notEmpty(b) OR (JSONExtractRaw(message, 'b') = '[]')) AND (notEmpty(a) OR (JSONExtractRaw(message, 'a') = '[]')) AND arrayAll(x -> (x > 0), b) AND arrayAll(x -> (x > 0), a) AND arrayAll(x -> (x >= 0), bv) AND arrayAll(x -> (x >= 0), av) AS sound
    FROM md_increments_stream_kafka
);

CREATE MATERIALIZED VIEW md_increments_stream_refused TO md_dead_letter_store
(
    `exchange` String,
    `reason` LowCardinality(String),
    `error` String,
    `frame` String,
    `timestamp` DateTime64(3, 'UTC'),
    `received_at` DateTime64(9, 'UTC'),
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64
)
AS SELECT
    exchange,
    refusal AS reason,
    multiIf(refusal = 'impossible_time', 'its time is before 2009, after 2100, or more than a day after it was received', refusal = 'incomplete_message', 'a field is missing or has an impossible value', 'not JSON') AS error,
    message AS frame,
    fromUnixTimestamp64Milli(logged_ms, 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(logged_ms * 1000000, 'UTC') AS received_at,
    _topic,
    _partition,
    _offset
FROM md_increments_stream AS stream
WHERE refusal != '';

CREATE MATERIALIZED VIEW md_increments_stream_shadows TO md_book_increments_store
(
    `exchange` String,
    `symbol` String,
    `kind` String,
    `b` Array(Float64),
    `bv` Array(Float64),
    `a` Array(Float64),
    `av` Array(Float64),
    `first_sequence` Nullable(UInt64),
    `sequence` UInt64,
    `previous_sequence` Nullable(UInt64),
    `timestamp` DateTime64(3, 'UTC'),
    `venue_time` DateTime64(9, 'UTC'),
    `received_at` DateTime64(9, 'UTC')
)
AS SELECT
    exchange,
    symbol,
    kind,
    b,
    bv,
    a,
    av,
    first_sequence,
    sequence,
    previous_sequence,
    fromUnixTimestamp64Milli((intDiv(stream.timestamp, 86400000) + 1) * 86400000, 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(venue_ns, 'UTC') AS venue_time,
    fromUnixTimestamp64Nano(received_ns, 'UTC') AS received_at
FROM md_increments_stream AS stream
WHERE (refusal = '') AND (venue_ns = received_ns) AND ((stream.timestamp % 86400000) >= 86340000);

CREATE TABLE md_instruments_stream
(
    `exchange` String COMMENT 'venue id',
    `symbol` String COMMENT 'canonical symbol',
    `venue_symbol` String COMMENT 'the venue\'s own name',
    `category` Nullable(String) COMMENT 'the venue\'s word for its list',
    `base` String COMMENT 'base asset',
    `quote` String COMMENT 'quote asset',
    `kind` String COMMENT 'spot, perpetual, future, option',
    `tick` Nullable(String) COMMENT 'decimal text',
    `step` Nullable(String) COMMENT 'decimal text',
    `contract_size` Nullable(String) COMMENT 'decimal text',
    `multiplier` Nullable(String) COMMENT 'decimal text',
    `inverse` Bool COMMENT 'worth quote, not base',
    `settle` Nullable(String) COMMENT 'what gains are paid in',
    `status` Nullable(String) COMMENT 'the venue\'s own word',
    `expiry` Nullable(String) COMMENT 'YYYYMMDD',
    `strike` Nullable(String) COMMENT 'decimal text',
    `right` Nullable(String) COMMENT 'C or P',
    `alias_of` Nullable(String) COMMENT 'another name',
    `received_ns` Int64 COMMENT 'receive time, ns',
    `_topic` LowCardinality(String) COMMENT 'Kafka topic',
    `_partition` UInt32 COMMENT 'Kafka partition',
    `_offset` UInt64 COMMENT 'Kafka offset',
    `logged_ms` Int64 COMMENT 'when the message reached the broker, ms',
    `message` String COMMENT 'the whole message',
    `refusal` LowCardinality(String) COMMENT 'why it is not stored; empty when it is'
)
ENGINE = `Null`;

CREATE MATERIALIZED VIEW md_instruments_stream_instruments TO md_instruments_store
(
    `exchange` String,
    `symbol` String,
    `venue_symbol` String,
    `category` Nullable(String),
    `base` String,
    `quote` String,
    `kind` String,
    `tick` Nullable(Float64),
    `step` Nullable(Float64),
    `contract_size` Nullable(Float64),
    `multiplier` Nullable(Float64),
    `inverse` Bool,
    `settle` Nullable(String),
    `status` Nullable(String),
    `expiry` Nullable(String),
    `strike` Nullable(Float64),
    `right` Nullable(String),
    `alias_of` Nullable(String),
    `version` UInt64,
    `first_seen_at` DateTime64(3, 'UTC'),
    `last_seen_at` DateTime64(3, 'UTC'),
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64
)
AS SELECT
    exchange,
    symbol,
    venue_symbol,
    category,
    base,
    quote,
    kind,
    toFloat64OrNull(stream.tick) AS tick,
    toFloat64OrNull(stream.step) AS step,
    toFloat64OrNull(stream.contract_size) AS contract_size,
    toFloat64OrNull(stream.multiplier) AS multiplier,
    inverse,
    settle,
    status,
    expiry,
    toFloat64OrNull(stream.strike) AS strike,
    right,
    alias_of,
    cityHash64(toString(tuple(stream.venue_symbol, stream.category, stream.base, stream.quote, stream.kind, stream.tick, stream.step, stream.contract_size, stream.multiplier, stream.inverse, stream.settle, stream.status, stream.expiry, stream.strike, stream.right, stream.alias_of))) AS version,
    fromUnixTimestamp64Milli(intDiv(received_ns, 1000000), 'UTC') AS first_seen_at,
    fromUnixTimestamp64Milli(intDiv(received_ns, 1000000), 'UTC') AS last_seen_at,
    _topic,
    _partition,
    _offset
FROM md_instruments_stream AS stream
WHERE refusal = '';

CREATE TABLE md_instruments_stream_kafka
(
    `message` String COMMENT 'the whole message'
)
ENGINE = Kafka
SETTINGS kafka_broker_list = '...', kafka_topic_list = '...', kafka_group_name = '...', kafka_format = 'RawBLOB', kafka_num_consumers = 1, kafka_thread_per_consumer = 1, kafka_max_block_size = 65536, kafka_flush_interval_ms = 500, kafka_poll_timeout_ms = 100, kafka_handle_error_mode = 'stream';

CREATE MATERIALIZED VIEW md_instruments_stream_kafka_view TO md_instruments_stream
(
    `exchange` String,
    `symbol` String,
    `venue_symbol` String,
    `category` Nullable(String),
    `base` String,
    `quote` String,
    `kind` String,
    `tick` Nullable(String),
    `step` Nullable(String),
    `contract_size` Nullable(String),
    `multiplier` Nullable(String),
    `inverse` Bool,
    `settle` Nullable(String),
    `status` Nullable(String),
    `expiry` Nullable(String),
    `strike` Nullable(String),
    `right` Nullable(String),
    `alias_of` Nullable(String),
    `received_ns` Int64,
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64,
    `logged_ms` Int64,
    `message` String,
    `refusal` String
)
AS SELECT
    exchange,
    symbol,
    venue_symbol,
    category,
    base,
    quote,
    kind,
    tick,
    step,
    contract_size,
    multiplier,
    inverse,
    settle,
    status,
    expiry,
    strike,
    right,
    alias_of,
    if(received_ns > 0, received_ns, logged_ms * 1000000) AS received_ns,
    _topic,
    toUInt32(_partition) AS _partition,
    _offset,
    ifNull(toUnixTimestamp64Milli(_timestamp_ms), 0) AS logged_ms,
    message,
    multiIf(sound AND (intDiv(received_ns, 1000000) >= 1230768000000) AND (intDiv(received_ns, 1000000) < 4102444800000) AND (received_ns < 4102444800000000000) AND ((fields.received_ns <= 0) OR (intDiv(received_ns, 1000000) <= (intDiv(fields.received_ns, 1000000) + 86400000))), '', sound, 'impossible_time', isValidJSON(message), 'incomplete_message', 'unreadable_message') AS refusal
FROM
(
    SELECT
        message,
        _topic,
        _partition,
        _offset,
        _timestamp_ms,
        JSONExtract(message, 'Tuple(exchange String, symbol String, venue_symbol String, category Nullable(String), base String, quote String, kind String, tick Nullable(String), step Nullable(String), contract_size Nullable(String), multiplier Nullable(String), inverse Bool, settle Nullable(String), status Nullable(String), expiry Nullable(String), strike Nullable(String), right Nullable(String), alias_of Nullable(String), received_ns Int64)') AS fields,
        fields.exchange AS exchange,
        fields.symbol AS symbol,
        fields.venue_symbol AS venue_symbol,
        fields.category AS category,
        fields.base AS base,
        fields.quote AS quote,
        fields.kind AS kind,
        fields.tick AS tick,
        fields.step AS step,
        fields.contract_size AS contract_size,
        fields.multiplier AS multiplier,
        fields.inverse AS inverse,
        fields.settle AS settle,
        fields.status AS status,
        fields.expiry AS expiry,
        fields.strike AS strike,
        fields.right AS right,
        fields.alias_of AS alias_of,
        fields.received_ns AS received_ns,
        (exchange != '') AND (symbol != '') AND (venue_symbol != '') AND (base != '') AND (quote != '') AND (kind IN ('spot', 'perpetual', 'future', 'option')) AS sound
    FROM md_instruments_stream_kafka
);

CREATE MATERIALIZED VIEW md_instruments_stream_refused TO md_dead_letter_store
(
    `exchange` String,
    `reason` LowCardinality(String),
    `error` String,
    `frame` String,
    `timestamp` DateTime64(3, 'UTC'),
    `received_at` DateTime64(9, 'UTC'),
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64
)
AS SELECT
    exchange,
    refusal AS reason,
    multiIf(refusal = 'impossible_time', 'its time is before 2009, after 2100, or more than a day after it was received', refusal = 'incomplete_message', 'a field is missing or has an impossible value', 'not JSON') AS error,
    message AS frame,
    fromUnixTimestamp64Milli(logged_ms, 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(logged_ms * 1000000, 'UTC') AS received_at,
    _topic,
    _partition,
    _offset
FROM md_instruments_stream AS stream
WHERE refusal != '';

CREATE TABLE md_liquidations_stream
(
    `exchange` String COMMENT 'venue id',
    `symbol` String COMMENT 'canonical symbol',
    `id` String COMMENT 'venue id of the liquidation',
    `price` Float64 COMMENT 'quote units',
    `qty` Float64 COMMENT 'base units',
    `raw_size` Nullable(Float64) COMMENT 'as sent',
    `side` String COMMENT 'buy or sell',
    `ts` Int64 COMMENT 'venue time, ms',
    `venue_ns` Int64 COMMENT 'venue time, ns',
    `received_ns` Int64 COMMENT 'receive time, ns',
    `_topic` LowCardinality(String) COMMENT 'Kafka topic',
    `_partition` UInt32 COMMENT 'Kafka partition',
    `_offset` UInt64 COMMENT 'Kafka offset',
    `logged_ms` Int64 COMMENT 'when the message reached the broker, ms',
    `message` String COMMENT 'the whole message',
    `refusal` LowCardinality(String) COMMENT 'why it is not stored; empty when it is'
)
ENGINE = `Null`;

CREATE TABLE md_liquidations_stream_kafka
(
    `message` String COMMENT 'the whole message'
)
ENGINE = Kafka
SETTINGS kafka_broker_list = '...', kafka_topic_list = '...', kafka_group_name = '...', kafka_format = 'RawBLOB', kafka_num_consumers = 1, kafka_thread_per_consumer = 1, kafka_max_block_size = 65536, kafka_flush_interval_ms = 100, kafka_poll_timeout_ms = 50, kafka_handle_error_mode = 'stream';

CREATE MATERIALIZED VIEW md_liquidations_stream_kafka_view TO md_liquidations_stream
(
    `exchange` String,
    `symbol` String,
    `id` String,
    `price` Float64,
    `qty` Float64,
    `raw_size` Nullable(Float64),
    `side` String,
    `ts` Int64,
    `venue_ns` Int64,
    `received_ns` Int64,
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64,
    `logged_ms` Int64,
    `message` String,
    `refusal` String
)
AS SELECT
    exchange,
    symbol,
    id,
    price,
    qty,
    raw_size,
    side,
    ts,
    if(venue_ns > 0, venue_ns, ts * 1000000) AS venue_ns,
    if(received_ns > 0, received_ns, logged_ms * 1000000) AS received_ns,
    _topic,
    toUInt32(_partition) AS _partition,
    _offset,
    ifNull(toUnixTimestamp64Milli(_timestamp_ms), 0) AS logged_ms,
    message,
    multiIf(sound AND (ts >= 1230768000000) AND (ts < 4102444800000) AND (received_ns < 4102444800000000000) AND ((fields.received_ns <= 0) OR (ts <= (intDiv(fields.received_ns, 1000000) + 86400000))), '', sound, 'impossible_time', isValidJSON(message), 'incomplete_message', 'unreadable_message') AS refusal
FROM
(
    SELECT
        message,
        _topic,
        _partition,
        _offset,
        _timestamp_ms,
        JSONExtract(message, 'Tuple(exchange String, symbol String, id String, price Float64, qty Float64, raw_size Nullable(Float64), side String, ts Int64, venue_ns Int64, received_ns Int64)') AS fields,
        fields.exchange AS exchange,
        fields.symbol AS symbol,
        fields.id AS id,
        fields.price AS price,
        fields.qty AS qty,
        fields.raw_size AS raw_size,
        fields.side AS side,
        fields.ts AS ts,
        fields.venue_ns AS venue_ns,
        fields.received_ns AS received_ns,
        (exchange != '') AND (symbol != '') AND (id != '') AND (side IN ('buy', 'sell')) AS sound
    FROM md_liquidations_stream_kafka
);

CREATE MATERIALIZED VIEW md_liquidations_stream_liquidations TO md_liquidations_store
(
    `exchange` String,
    `symbol` String,
    `id` String,
    `price` Float64,
    `qty` Float64,
    `raw_size` Nullable(Float64),
    `side` String,
    `timestamp` DateTime64(3, 'UTC'),
    `venue_time` DateTime64(9, 'UTC'),
    `received_at` DateTime64(9, 'UTC'),
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64
)
AS SELECT
    exchange,
    symbol,
    id,
    price,
    qty,
    raw_size,
    side,
    fromUnixTimestamp64Milli(ts, 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(venue_ns, 'UTC') AS venue_time,
    fromUnixTimestamp64Nano(received_ns, 'UTC') AS received_at,
    _topic,
    _partition,
    _offset
FROM md_liquidations_stream AS stream
WHERE refusal = '';

CREATE MATERIALIZED VIEW md_liquidations_stream_refused TO md_dead_letter_store
(
    `exchange` String,
    `reason` LowCardinality(String),
    `error` String,
    `frame` String,
    `timestamp` DateTime64(3, 'UTC'),
    `received_at` DateTime64(9, 'UTC'),
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64
)
AS SELECT
    exchange,
    refusal AS reason,
    multiIf(refusal = 'impossible_time', 'its time is before 2009, after 2100, or more than a day after it was received', refusal = 'incomplete_message', 'a field is missing or has an impossible value', 'not JSON') AS error,
    message AS frame,
    fromUnixTimestamp64Milli(logged_ms, 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(logged_ms * 1000000, 'UTC') AS received_at,
    _topic,
    _partition,
    _offset
FROM md_liquidations_stream AS stream
WHERE refusal != '';

CREATE MATERIALIZED VIEW md_orderbook_depth_messages TO md_messages_store
(
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64,
    `dataset` String,
    `exchange` LowCardinality(String),
    `symbol` LowCardinality(String),
    `timestamp` DateTime64(3, 'UTC'),
    `key` UInt32
)
AS SELECT
    _topic,
    _partition,
    _offset,
    'books' AS dataset,
    exchange,
    symbol,
    timestamp,
    toUInt32(sipHash64(toString(exchange), toString(symbol), toString(sequence))) AS key
FROM md_orderbook_depth_store
WHERE _topic != '';

CREATE MATERIALIZED VIEW md_orderbook_depth_top TO md_top_of_book_store
(
    `exchange` LowCardinality(String),
    `symbol` LowCardinality(String),
    `timestamp` DateTime64(3, 'UTC'),
    `sequence` UInt64,
    `bid_price` Float64,
    `bid_size` Float64,
    `ask_price` Float64,
    `ask_size` Float64,
    `venue_time` DateTime64(9, 'UTC'),
    `received_at` DateTime64(9, 'UTC'),
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64
)
AS SELECT
    exchange,
    symbol,
    timestamp,
    sequence,
    b[1] AS bid_price,
    bv[1] AS bid_size,
    a[1] AS ask_price,
    av[1] AS ask_size,
    venue_time,
    received_at,
    _topic,
    _partition,
    _offset
FROM md_orderbook_depth_store;

CREATE TABLE md_orderbook_stream
(
    `exchange` String COMMENT 'venue id',
    `symbol` String COMMENT 'canonical symbol',
    `b` Array(Float64) COMMENT 'bid prices',
    `bv` Array(Float64) COMMENT 'bid sizes',
    `a` Array(Float64) COMMENT 'ask prices',
    `av` Array(Float64) COMMENT 'ask sizes',
    `raw_bv` Array(Float64) COMMENT 'bid sizes as sent',
    `raw_av` Array(Float64) COMMENT 'ask sizes as sent',
    `bid_depth_10bps` Nullable(Float64) COMMENT 'bids within 10 bps of the mid',
    `ask_depth_10bps` Nullable(Float64) COMMENT 'asks within 10 bps of the mid',
    `timestamp` Int64 COMMENT 'venue time, ms',
    `sequence` UInt64 COMMENT 'update id',
    `previous_sequence` Nullable(UInt64) COMMENT 'update id before',
    `venue_ns` Int64 COMMENT 'venue time, ns',
    `received_ns` Int64 COMMENT 'receive time, ns',
    `_topic` LowCardinality(String) COMMENT 'Kafka topic',
    `_partition` UInt32 COMMENT 'Kafka partition',
    `_offset` UInt64 COMMENT 'Kafka offset',
    `logged_ms` Int64 COMMENT 'when the message reached the broker, ms',
    `message` String COMMENT 'the whole message',
    `refusal` LowCardinality(String) COMMENT 'why it is not stored; empty when it is'
)
ENGINE = `Null`;

CREATE MATERIALIZED VIEW md_orderbook_stream_depth TO md_orderbook_depth_store
(
    `exchange` String,
    `symbol` String,
    `b` Array(Float64),
    `bv` Array(Float64),
    `a` Array(Float64),
    `av` Array(Float64),
    `raw_bv` Array(Float64),
    `raw_av` Array(Float64),
    `bid_depth_10bps` Nullable(Float64),
    `ask_depth_10bps` Nullable(Float64),
    `sequence` UInt64,
    `previous_sequence` Nullable(UInt64),
    `timestamp` DateTime64(3, 'UTC'),
    `venue_time` DateTime64(9, 'UTC'),
    `received_at` DateTime64(9, 'UTC'),
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64
)
AS SELECT
    exchange,
    symbol,
    b,
    bv,
    a,
    av,
    raw_bv,
    raw_av,
    bid_depth_10bps,
    ask_depth_10bps,
    sequence,
    previous_sequence,
    fromUnixTimestamp64Milli(stream.timestamp, 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(venue_ns, 'UTC') AS venue_time,
    fromUnixTimestamp64Nano(received_ns, 'UTC') AS received_at,
    _topic,
    _partition,
    _offset
FROM md_orderbook_stream AS stream
WHERE refusal = '';

CREATE TABLE md_orderbook_stream_kafka
(
    `message` String COMMENT 'the whole message'
)
ENGINE = Kafka
SETTINGS kafka_broker_list = '...', kafka_topic_list = '...', kafka_group_name = '...', kafka_format = 'RawBLOB', kafka_num_consumers = 1, kafka_thread_per_consumer = 1, kafka_max_block_size = 65536, kafka_flush_interval_ms = 100, kafka_poll_timeout_ms = 50, kafka_handle_error_mode = 'stream';

CREATE MATERIALIZED VIEW md_orderbook_stream_kafka_view TO md_orderbook_stream
(
    `exchange` String,
    `symbol` String,
    `b` Array(Float64),
    `bv` Array(Float64),
    `a` Array(Float64),
    `av` Array(Float64),
    `raw_bv` Array(Float64),
    `raw_av` Array(Float64),
    `bid_depth_10bps` Nullable(Float64),
    `ask_depth_10bps` Nullable(Float64),
    `timestamp` Int64,
    `sequence` UInt64,
    `previous_sequence` Nullable(UInt64),
    `venue_ns` Int64,
    `received_ns` Int64,
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64,
    `logged_ms` Int64,
    `message` String,
    `refusal` String
)
AS SELECT
    exchange,
    symbol,
    b,
    bv,
    a,
    av,
    raw_bv,
    raw_av,
    bid_depth_10bps,
    ask_depth_10bps,
    timestamp,
    sequence,
    previous_sequence,
    if(venue_ns > 0, venue_ns, timestamp * 1000000) AS venue_ns,
    if(received_ns > 0, received_ns, logged_ms * 1000000) AS received_ns,
    _topic,
    toUInt32(_partition) AS _partition,
    _offset,
    ifNull(toUnixTimestamp64Milli(_timestamp_ms), 0) AS logged_ms,
    message,
    multiIf(sound AND (timestamp >= 1230768000000) AND (timestamp < 4102444800000) AND (received_ns < 4102444800000000000) AND ((fields.received_ns <= 0) OR (timestamp <= (intDiv(fields.received_ns, 1000000) + 86400000))), '', sound, 'impossible_time', isValidJSON(message), 'incomplete_message', 'unreadable_message') AS refusal
FROM
(
    SELECT
        message,
        _topic,
        _partition,
        _offset,
        _timestamp_ms,
        JSONExtract(message, 'Tuple(exchange String, symbol String, b Array(Float64), bv Array(Float64), a Array(Float64), av Array(Float64), raw_bv Array(Float64), raw_av Array(Float64), bid_depth_10bps Nullable(Float64), ask_depth_10bps Nullable(Float64), timestamp Int64, sequence UInt64, previous_sequence Nullable(UInt64), venue_ns Int64, received_ns Int64)') AS fields,
        fields.exchange AS exchange,
        fields.symbol AS symbol,
        fields.b AS b,
        fields.bv AS bv,
        fields.a AS a,
        fields.av AS av,
        fields.raw_bv AS raw_bv,
        fields.raw_av AS raw_av,
        fields.bid_depth_10bps AS bid_depth_10bps,
        fields.ask_depth_10bps AS ask_depth_10bps,
        fields.timestamp AS timestamp,
        fields.sequence AS sequence,
        fields.previous_sequence AS previous_sequence,
        fields.venue_ns AS venue_ns,
        fields.received_ns AS received_ns,
        (exchange != '') AND (symbol != '') AND (sequence > 0) AND (length(b) = length(bv)) AND (length(a) = length(av)) AND (length(raw_bv) IN (0, length(bv))) AND (length(raw_av) IN (0, length(av))) AND (notEmpty(b) OR (JSONExtractRaw(message, 'b') = '[]')) AND (notEmpty(a) OR (JSONExtractRaw(message, 'a') = '[]')) AND arrayAll(x -> (x > 0), b) AND arrayAll(x -> (x > 0), a) AND arrayAll(x -> (x > 0), bv) AND arrayAll(x -> (x > 0), av) AS sound
    FROM md_orderbook_stream_kafka
);

CREATE MATERIALIZED VIEW md_orderbook_stream_refused TO md_dead_letter_store
(
    `exchange` String,
    `reason` LowCardinality(String),
    `error` String,
    `frame` String,
    `timestamp` DateTime64(3, 'UTC'),
    `received_at` DateTime64(9, 'UTC'),
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64
)
AS SELECT
    exchange,
    refusal AS reason,
    multiIf(refusal = 'impossible_time', 'its time is before 2009, after 2100, or more than a day after it was received', refusal = 'incomplete_message', 'a field is missing or has an impossible value', 'not JSON') AS error,
    message AS frame,
    fromUnixTimestamp64Milli(logged_ms, 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(logged_ms * 1000000, 'UTC') AS received_at,
    _topic,
    _partition,
    _offset
FROM md_orderbook_stream AS stream
WHERE refusal != '';

CREATE MATERIALIZED VIEW md_orderbook_stream_shadows TO md_orderbook_depth_store
(
    `exchange` String,
    `symbol` String,
    `b` Array(Float64),
    `bv` Array(Float64),
    `a` Array(Float64),
    `av` Array(Float64),
    `raw_bv` Array(Float64),
    `raw_av` Array(Float64),
    `bid_depth_10bps` Nullable(Float64),
    `ask_depth_10bps` Nullable(Float64),
    `sequence` UInt64,
    `previous_sequence` Nullable(UInt64),
    `timestamp` DateTime64(3, 'UTC'),
    `venue_time` DateTime64(9, 'UTC'),
    `received_at` DateTime64(9, 'UTC')
)
AS SELECT
    exchange,
    symbol,
    b,
    bv,
    a,
    av,
    raw_bv,
    raw_av,
    bid_depth_10bps,
    ask_depth_10bps,
    sequence,
    previous_sequence,
    fromUnixTimestamp64Milli((intDiv(stream.timestamp, 86400000) + 1) * 86400000, 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(venue_ns, 'UTC') AS venue_time,
    fromUnixTimestamp64Nano(received_ns, 'UTC') AS received_at
FROM md_orderbook_stream AS stream
WHERE (refusal = '') AND (venue_ns = received_ns) AND ((stream.timestamp % 86400000) >= 86340000);

CREATE TABLE md_quotes_stream
(
    `exchange` String COMMENT 'venue id',
    `symbol` String COMMENT 'canonical symbol',
    `bid_price` Nullable(Float64) COMMENT 'quote units',
    `bid_size` Nullable(Float64) COMMENT 'base units',
    `ask_price` Nullable(Float64) COMMENT 'quote units',
    `ask_size` Nullable(Float64) COMMENT 'base units',
    `raw_bid_size` Nullable(Float64) COMMENT 'as sent',
    `raw_ask_size` Nullable(Float64) COMMENT 'as sent',
    `sequence` UInt64 COMMENT 'update id',
    `ts` Int64 COMMENT 'venue time, ms',
    `venue_ns` Int64 COMMENT 'venue time, ns',
    `received_ns` Int64 COMMENT 'receive time, ns',
    `_topic` LowCardinality(String) COMMENT 'Kafka topic',
    `_partition` UInt32 COMMENT 'Kafka partition',
    `_offset` UInt64 COMMENT 'Kafka offset',
    `logged_ms` Int64 COMMENT 'when the message reached the broker, ms',
    `message` String COMMENT 'the whole message',
    `refusal` LowCardinality(String) COMMENT 'why it is not stored; empty when it is'
)
ENGINE = `Null`;

CREATE TABLE md_quotes_stream_kafka
(
    `message` String COMMENT 'the whole message'
)
ENGINE = Kafka
SETTINGS kafka_broker_list = '...', kafka_topic_list = '...', kafka_group_name = '...', kafka_format = 'RawBLOB', kafka_num_consumers = 1, kafka_thread_per_consumer = 1, kafka_max_block_size = 65536, kafka_flush_interval_ms = 100, kafka_poll_timeout_ms = 50, kafka_handle_error_mode = 'stream';

CREATE MATERIALIZED VIEW md_quotes_stream_kafka_view TO md_quotes_stream
(
    `exchange` String,
    `symbol` String,
    `bid_price` Nullable(Float64),
    `bid_size` Nullable(Float64),
    `ask_price` Nullable(Float64),
    `ask_size` Nullable(Float64),
    `raw_bid_size` Nullable(Float64),
    `raw_ask_size` Nullable(Float64),
    `sequence` UInt64,
    `ts` Int64,
    `venue_ns` Int64,
    `received_ns` Int64,
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64,
    `logged_ms` Int64,
    `message` String,
    `refusal` String
)
AS SELECT
    exchange,
    symbol,
    bid_price,
    bid_size,
    ask_price,
    ask_size,
    raw_bid_size,
    raw_ask_size,
    sequence,
    ts,
    if(venue_ns > 0, venue_ns, ts * 1000000) AS venue_ns,
    if(received_ns > 0, received_ns, logged_ms * 1000000) AS received_ns,
    _topic,
    toUInt32(_partition) AS _partition,
    _offset,
    ifNull(toUnixTimestamp64Milli(_timestamp_ms), 0) AS logged_ms,
    message,
    multiIf(sound AND (ts >= 1230768000000) AND (ts < 4102444800000) AND (received_ns < 4102444800000000000) AND ((fields.received_ns <= 0) OR (ts <= (intDiv(fields.received_ns, 1000000) + 86400000))), '', sound, 'impossible_time', isValidJSON(message), 'incomplete_message', 'unreadable_message') AS refusal
FROM
(
    SELECT
        message,
        _topic,
        _partition,
        _offset,
        _timestamp_ms,
        JSONExtract(message, 'Tuple(exchange String, symbol String, bid_price Nullable(Float64), bid_size Nullable(Float64), ask_price Nullable(Float64), ask_size Nullable(Float64), raw_bid_size Nullable(Float64), raw_ask_size Nullable(Float64), sequence UInt64, ts Int64, venue_ns Int64, received_ns Int64)') AS fields,
        fields.exchange AS exchange,
        fields.symbol AS symbol,
        fields.bid_price AS bid_price,
        fields.bid_size AS bid_size,
        fields.ask_price AS ask_price,
        fields.ask_size AS ask_size,
        fields.raw_bid_size AS raw_bid_size,
        fields.raw_ask_size AS raw_ask_size,
        fields.sequence AS sequence,
        fields.ts AS ts,
        fields.venue_ns AS venue_ns,
        fields.received_ns AS received_ns,
        (exchange != '') AND (symbol != '') AND (sequence > 0) AND (isNull(bid_price) = isNull(bid_size)) AND (isNull(ask_price) = isNull(ask_size)) AND (isNotNull(bid_price) OR isNotNull(ask_price) OR ((JSONExtractRaw(message, 'bid_price') = 'null') AND (JSONExtractRaw(message, 'ask_price') = 'null'))) AS sound
    FROM md_quotes_stream_kafka
);

CREATE MATERIALIZED VIEW md_quotes_stream_quotes TO md_quotes_store
(
    `exchange` String,
    `symbol` String,
    `bid_price` Nullable(Float64),
    `bid_size` Nullable(Float64),
    `ask_price` Nullable(Float64),
    `ask_size` Nullable(Float64),
    `raw_bid_size` Nullable(Float64),
    `raw_ask_size` Nullable(Float64),
    `sequence` UInt64,
    `timestamp` DateTime64(3, 'UTC'),
    `venue_time` DateTime64(9, 'UTC'),
    `received_at` DateTime64(9, 'UTC'),
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64
)
AS SELECT
    exchange,
    symbol,
    bid_price,
    bid_size,
    ask_price,
    ask_size,
    raw_bid_size,
    raw_ask_size,
    sequence,
    fromUnixTimestamp64Milli(ts, 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(venue_ns, 'UTC') AS venue_time,
    fromUnixTimestamp64Nano(received_ns, 'UTC') AS received_at,
    _topic,
    _partition,
    _offset
FROM md_quotes_stream AS stream
WHERE refusal = '';

CREATE MATERIALIZED VIEW md_quotes_stream_refused TO md_dead_letter_store
(
    `exchange` String,
    `reason` LowCardinality(String),
    `error` String,
    `frame` String,
    `timestamp` DateTime64(3, 'UTC'),
    `received_at` DateTime64(9, 'UTC'),
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64
)
AS SELECT
    exchange,
    refusal AS reason,
    multiIf(refusal = 'impossible_time', 'its time is before 2009, after 2100, or more than a day after it was received', refusal = 'incomplete_message', 'a field is missing or has an impossible value', 'not JSON') AS error,
    message AS frame,
    fromUnixTimestamp64Milli(logged_ms, 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(logged_ms * 1000000, 'UTC') AS received_at,
    _topic,
    _partition,
    _offset
FROM md_quotes_stream AS stream
WHERE refusal != '';

CREATE MATERIALIZED VIEW md_quotes_stream_shadows TO md_quotes_store
(
    `exchange` String,
    `symbol` String,
    `bid_price` Nullable(Float64),
    `bid_size` Nullable(Float64),
    `ask_price` Nullable(Float64),
    `ask_size` Nullable(Float64),
    `raw_bid_size` Nullable(Float64),
    `raw_ask_size` Nullable(Float64),
    `sequence` UInt64,
    `timestamp` DateTime64(3, 'UTC'),
    `venue_time` DateTime64(9, 'UTC'),
    `received_at` DateTime64(9, 'UTC')
)
AS SELECT
    exchange,
    symbol,
    bid_price,
    bid_size,
    ask_price,
    ask_size,
    raw_bid_size,
    raw_ask_size,
    sequence,
    fromUnixTimestamp64Milli((intDiv(ts, 86400000) + 1) * 86400000, 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(venue_ns, 'UTC') AS venue_time,
    fromUnixTimestamp64Nano(received_ns, 'UTC') AS received_at
FROM md_quotes_stream AS stream
WHERE (refusal = '') AND (venue_ns = received_ns) AND ((ts % 86400000) >= 86340000);

CREATE TABLE md_signals_stream
(
    `exchange` String COMMENT 'venue id',
    `symbol` String COMMENT 'canonical symbol',
    `signal` String COMMENT 'name',
    `ts` Int64 COMMENT 'venue time, ms',
    `received_ns` Int64 COMMENT 'receive time, ns',
    `_topic` LowCardinality(String) COMMENT 'Kafka topic',
    `_partition` UInt32 COMMENT 'Kafka partition',
    `_offset` UInt64 COMMENT 'Kafka offset',
    `logged_ms` Int64 COMMENT 'when the message reached the broker, ms',
    `message` String COMMENT 'the whole message',
    `refusal` LowCardinality(String) COMMENT 'why it is not stored; empty when it is'
)
ENGINE = `Null`;

CREATE TABLE md_signals_stream_kafka
(
    `message` String COMMENT 'the whole message'
)
ENGINE = Kafka
SETTINGS kafka_broker_list = '...', kafka_topic_list = '...', kafka_group_name = '...', kafka_format = 'RawBLOB', kafka_num_consumers = 1, kafka_thread_per_consumer = 1, kafka_max_block_size = 65536, kafka_flush_interval_ms = 500, kafka_poll_timeout_ms = 100, kafka_handle_error_mode = 'stream';

CREATE MATERIALIZED VIEW md_signals_stream_kafka_view TO md_signals_stream
(
    `exchange` String,
    `symbol` String,
    `signal` String,
    `ts` Int64,
    `received_ns` Int64,
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64,
    `logged_ms` Int64,
    `message` String,
    `refusal` String
)
AS SELECT
    exchange,
    symbol,
    signal,
    ts,
    if(received_ns > 0, received_ns, logged_ms * 1000000) AS received_ns,
    _topic,
    toUInt32(_partition) AS _partition,
    _offset,
    ifNull(toUnixTimestamp64Milli(_timestamp_ms), 0) AS logged_ms,
    message,
    multiIf(sound AND (ts >= 1230768000000) AND (ts < 4102444800000) AND (received_ns < 4102444800000000000) AND ((fields.received_ns <= 0) OR (ts <= (intDiv(fields.received_ns, 1000000) + 86400000))), '', sound, 'impossible_time', isValidJSON(message), 'incomplete_message', 'unreadable_message') AS refusal
FROM
(
    SELECT
        message,
        _topic,
        _partition,
        _offset,
        _timestamp_ms,
        JSONExtractString(message, 'exchange') AS exchange,
        JSONExtractString(message, 'symbol') AS symbol,
        JSONExtractString(message, 'kind') AS signal,
        JSONExtractInt(message, 'ts') AS ts,
        JSONExtract(message, 'Tuple(received_ns Int64)') AS fields,
        fields.received_ns AS received_ns,
        signal != '' AS sound
    FROM md_signals_stream_kafka
);

CREATE MATERIALIZED VIEW md_signals_stream_refused TO md_dead_letter_store
(
    `exchange` String,
    `reason` LowCardinality(String),
    `error` String,
    `frame` String,
    `timestamp` DateTime64(3, 'UTC'),
    `received_at` DateTime64(9, 'UTC'),
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64
)
AS SELECT
    exchange,
    refusal AS reason,
    multiIf(refusal = 'impossible_time', 'its time is before 2009, after 2100, or more than a day after it was received', refusal = 'incomplete_message', 'a field is missing or has an impossible value', 'not JSON') AS error,
    message AS frame,
    fromUnixTimestamp64Milli(logged_ms, 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(logged_ms * 1000000, 'UTC') AS received_at,
    _topic,
    _partition,
    _offset
FROM md_signals_stream AS stream
WHERE refusal != '';

CREATE MATERIALIZED VIEW md_signals_stream_signals TO md_signals_store
(
    `exchange` String,
    `symbol` String,
    `signal` String,
    `id` String,
    `exchanges` Array(LowCardinality(String)),
    `direction` String,
    `value` Nullable(Float64),
    `threshold` Nullable(Float64),
    `unit` String,
    `evidence` String,
    `timestamp` DateTime64(3, 'UTC'),
    `received_at` Nullable(DateTime64(9, 'UTC')),
    `found_at` Nullable(DateTime64(9, 'UTC')),
    `latency_venue_ms` Nullable(Float64),
    `latency_received_ms` Nullable(Float64),
    `message` String,
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64
)
AS SELECT
    exchange,
    symbol,
    signal,
    JSONExtractString(message, 'id') AS id,
    JSONExtract(message, 'exchanges', 'Array(LowCardinality(String))') AS exchanges,
    JSONExtractString(message, 'direction') AS direction,
    JSONExtract(message, 'value', 'Nullable(Float64)') AS value,
    JSONExtract(message, 'threshold', 'Nullable(Float64)') AS threshold,
    JSONExtractString(message, 'unit') AS unit,
    JSONExtractRaw(message, 'evidence') AS evidence,
    fromUnixTimestamp64Milli(ts, 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(JSONExtract(message, 'received_ns', 'Nullable(Int64)'), 'UTC') AS received_at,
    fromUnixTimestamp64Nano(JSONExtract(message, 'found_ns', 'Nullable(Int64)'), 'UTC') AS found_at,
    JSONExtract(message, 'latency_venue_ms', 'Nullable(Float64)') AS latency_venue_ms,
    JSONExtract(message, 'latency_received_ms', 'Nullable(Float64)') AS latency_received_ms,
    message,
    _topic,
    _partition,
    _offset
FROM md_signals_stream AS stream
WHERE refusal = '';

CREATE MATERIALIZED VIEW md_trades_messages TO md_messages_store
(
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64,
    `dataset` String,
    `exchange` LowCardinality(String),
    `symbol` LowCardinality(String),
    `timestamp` DateTime64(3, 'UTC'),
    `key` UInt32
)
AS SELECT
    _topic,
    _partition,
    _offset,
    'trades' AS dataset,
    exchange,
    symbol,
    timestamp,
    toUInt32(sipHash64(toString(exchange), toString(symbol), id)) AS key
FROM md_trades_store
WHERE _topic != '';

CREATE TABLE md_trades_stream
(
    `exchange` String COMMENT 'venue id',
    `symbol` String COMMENT 'canonical symbol',
    `id` String COMMENT 'venue id of the trade',
    `price` Float64 COMMENT 'quote units',
    `qty` Float64 COMMENT 'base units',
    `raw_size` Nullable(Float64) COMMENT 'as sent',
    `side` String COMMENT 'buy or sell',
    `ts` Int64 COMMENT 'venue time, ms',
    `venue_ns` Int64 COMMENT 'venue time, ns',
    `provenance` String COMMENT 'live, rest or archive',
    `first_id` Nullable(String) COMMENT 'id of the first of several matches',
    `count` Nullable(UInt32) COMMENT 'matches that it stands for',
    `received_ns` Int64 COMMENT 'receive time, ns',
    `_topic` LowCardinality(String) COMMENT 'Kafka topic',
    `_partition` UInt32 COMMENT 'Kafka partition',
    `_offset` UInt64 COMMENT 'Kafka offset',
    `logged_ms` Int64 COMMENT 'when the message reached the broker, ms',
    `message` String COMMENT 'the whole message',
    `refusal` LowCardinality(String) COMMENT 'why it is not stored; empty when it is'
)
ENGINE = `Null`;

CREATE TABLE md_trades_stream_kafka
(
    `message` String COMMENT 'the whole message'
)
ENGINE = Kafka
SETTINGS kafka_broker_list = '...', kafka_topic_list = '...', kafka_group_name = '...', kafka_format = 'RawBLOB', kafka_num_consumers = 1, kafka_thread_per_consumer = 1, kafka_max_block_size = 65536, kafka_flush_interval_ms = 100, kafka_poll_timeout_ms = 50, kafka_handle_error_mode = 'stream';

CREATE MATERIALIZED VIEW md_trades_stream_kafka_view TO md_trades_stream
(
    `exchange` String,
    `symbol` String,
    `id` String,
    `price` Float64,
    `qty` Float64,
    `raw_size` Nullable(Float64),
    `side` String,
    `ts` Int64,
    `provenance` String,
    `first_id` Nullable(String),
    `count` Nullable(UInt32),
    `venue_ns` Int64,
    `received_ns` Int64,
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64,
    `logged_ms` Int64,
    `message` String,
    `refusal` String
)
AS SELECT
    exchange,
    symbol,
    id,
    price,
    qty,
    raw_size,
    side,
    ts,
    provenance,
    first_id,
    count,
    if(venue_ns > 0, venue_ns, ts * 1000000) AS venue_ns,
    if(received_ns > 0, received_ns, logged_ms * 1000000) AS received_ns,
    _topic,
    toUInt32(_partition) AS _partition,
    _offset,
    ifNull(toUnixTimestamp64Milli(_timestamp_ms), 0) AS logged_ms,
    message,
    multiIf(sound AND (ts >= 1230768000000) AND (ts < 4102444800000) AND (received_ns < 4102444800000000000) AND ((fields.received_ns <= 0) OR (ts <= (intDiv(fields.received_ns, 1000000) + 86400000))), '', sound, 'impossible_time', isValidJSON(message), 'incomplete_message', 'unreadable_message') AS refusal
FROM
(
    SELECT
        message,
        _topic,
        _partition,
        _offset,
        _timestamp_ms,
        JSONExtract(message, 'Tuple(exchange String, symbol String, id String, price Float64, qty Float64, raw_size Nullable(Float64), side String, ts Int64, venue_ns Int64, provenance String, first_id Nullable(String), count Nullable(UInt32), received_ns Int64)') AS fields,
        fields.exchange AS exchange,
        fields.symbol AS symbol,
        fields.id AS id,
        fields.price AS price,
        fields.qty AS qty,
        fields.raw_size AS raw_size,
        fields.side AS side,
        fields.ts AS ts,
        fields.venue_ns AS venue_ns,
        fields.provenance AS provenance,
        fields.first_id AS first_id,
        fields.count AS count,
        fields.received_ns AS received_ns,
        (exchange != '') AND (symbol != '') AND (id != '') AND (side IN ('buy', 'sell')) AND (price != 0) AS sound
    FROM md_trades_stream_kafka
);

CREATE MATERIALIZED VIEW md_trades_stream_refused TO md_dead_letter_store
(
    `exchange` String,
    `reason` LowCardinality(String),
    `error` String,
    `frame` String,
    `timestamp` DateTime64(3, 'UTC'),
    `received_at` DateTime64(9, 'UTC'),
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64
)
AS SELECT
    exchange,
    refusal AS reason,
    multiIf(refusal = 'impossible_time', 'its time is before 2009, after 2100, or more than a day after it was received', refusal = 'incomplete_message', 'a field is missing or has an impossible value', 'not JSON') AS error,
    message AS frame,
    fromUnixTimestamp64Milli(logged_ms, 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(logged_ms * 1000000, 'UTC') AS received_at,
    _topic,
    _partition,
    _offset
FROM md_trades_stream AS stream
WHERE refusal != '';

CREATE MATERIALIZED VIEW md_trades_stream_trades TO md_trades_store
(
    `exchange` String,
    `symbol` String,
    `id` String,
    `price` Float64,
    `qty` Float64,
    `raw_size` Nullable(Float64),
    `side` String,
    `first_id` Nullable(String),
    `count` Nullable(UInt32),
    `timestamp` DateTime64(3, 'UTC'),
    `venue_time` DateTime64(9, 'UTC'),
    `received_at` DateTime64(9, 'UTC'),
    `provenance` String,
    `_topic` LowCardinality(String),
    `_partition` UInt32,
    `_offset` UInt64
)
AS SELECT
    exchange,
    symbol,
    id,
    price,
    qty,
    raw_size,
    side,
    first_id,
    count,
    fromUnixTimestamp64Milli(ts, 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(venue_ns, 'UTC') AS venue_time,
    fromUnixTimestamp64Nano(received_ns, 'UTC') AS received_at,
    if(provenance = '', 'live', provenance) AS provenance,
    _topic,
    _partition,
    _offset
FROM md_trades_stream AS stream
WHERE refusal = '';
