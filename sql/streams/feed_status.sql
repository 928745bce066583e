{{include stream_begin stream=md_feed_status_stream at=internal rows=status}}

CREATE TABLE md_feed_status_stream {{cluster}}
(
    exchange          String                      COMMENT 'venue id',
    symbol            String                      COMMENT 'canonical symbol',
    channel           String                      COMMENT 'book, trades, ...',
    state             String                      COMMENT 'valid, gap, resync, stale, down',
    cause             String                      COMMENT 'why',
    started_ns        UInt64                      COMMENT 'begin, ns',
    ended_ns          Nullable(UInt64)            COMMENT 'known to hold until, ns',
    first_sequence    Nullable(UInt64)            COMMENT 'first update id',
    last_sequence     Nullable(UInt64)            COMMENT 'last update id',
    missed            Nullable(UInt64)            COMMENT 'updates missing',
    collector         String                      COMMENT 'A, B ...',
    {{include stream_columns}}
)
ENGINE = Null;

CREATE MATERIALIZED VIEW md_feed_status_stream_status {{cluster}} TO md_feed_status_store AS
SELECT
    exchange, symbol, channel, state, cause,
    fromUnixTimestamp64Nano(toInt64(started_ns), 'UTC') AS started_at,
    fromUnixTimestamp64Nano(toInt64(ended_ns), 'UTC') AS ended_at,
    first_sequence, last_sequence, missed, collector, started_ns, ended_ns,
    _topic, _partition, _offset
FROM md_feed_status_stream AS stream
WHERE refusal = '';

{{include stream_refused stream=md_feed_status_stream}}

{{include stream_kafka stream=md_feed_status_stream at=internal topics=status}}

CREATE MATERIALIZED VIEW md_feed_status_stream_kafka_view {{cluster}} TO md_feed_status_stream AS
SELECT
    exchange, symbol, channel, state, cause, started_ns, ended_ns, first_sequence, last_sequence, missed, collector,
    {{include stream_judged time_ms=intDiv(started_ns,1000000)}}
FROM
(
    {{include stream_read}}
    SELECT
        message, _topic, _partition, _offset, _timestamp_ms,
        {{parsed message}},
        exchange != '' AND symbol != '' AND channel != '' AND state IN ('valid', 'gap', 'resync', 'stale', 'down')
            AS sound
    FROM md_feed_status_stream_kafka
);
