{{include stream_begin stream=md_feed_stats_stream at=internal rows=stats}}

CREATE TABLE md_feed_stats_stream {{cluster}}
(
    exchange          String                      COMMENT 'venue id',
    conn              String                      COMMENT 'connection',
    ts                Int64                       COMMENT 'collector time, ms',
    symbols           UInt32                      COMMENT 'counter',
    frames            UInt64                      COMMENT 'counter',
    bytes             UInt64                      COMMENT 'counter',
    events            UInt64                      COMMENT 'counter',
    reconnects        UInt64                      COMMENT 'counter',
    renewals          UInt64                      COMMENT 'counter',
    gaps              UInt64                      COMMENT 'counter',
    dead_letters      UInt64                      COMMENT 'counter',
    published         UInt64                      COMMENT 'counter',
    failed            UInt64                      COMMENT 'counter',
    queue             UInt64                      COMMENT 'waiting',
    paused_ms         UInt64                      COMMENT 'counter',
    latency_p50_ms    Nullable(Float64)           COMMENT 'ms',
    latency_p99_ms    Nullable(Float64)           COMMENT 'ms',
    venue_lag_ms      Nullable(Float64)           COMMENT 'ms',
    ignored           Map(String, UInt64)         COMMENT 'frames dropped by design, by kind; counters',
    limits_met        UInt64                      COMMENT 'counter',
    unfamiliar        Map(String, UInt64)         COMMENT 'frames with a field never seen before, by field; counters',
    cadence_ms        Map(String, Float64)        COMMENT 'ms, by kind of channel',
    {{include stream_columns}}
)
ENGINE = Null;

CREATE MATERIALIZED VIEW md_feed_stats_stream_stats {{cluster}} TO md_feed_stats_store AS
SELECT
    exchange, conn, fromUnixTimestamp64Milli(ts, 'UTC') AS timestamp,
    symbols, frames, bytes, events, reconnects, renewals, gaps, dead_letters,
    published, failed, queue, paused_ms, latency_p50_ms, latency_p99_ms, venue_lag_ms, ignored, limits_met, unfamiliar, cadence_ms,
    _topic, _partition, _offset
FROM md_feed_stats_stream AS stream
WHERE refusal = '';

{{include stream_refused stream=md_feed_stats_stream}}

{{include stream_kafka stream=md_feed_stats_stream at=internal topics=stats}}

CREATE MATERIALIZED VIEW md_feed_stats_stream_kafka_view {{cluster}} TO md_feed_stats_stream AS
SELECT
    exchange, conn, ts, symbols, frames, bytes, events, reconnects, renewals, gaps, dead_letters, published, failed, queue, paused_ms, latency_p50_ms, latency_p99_ms, venue_lag_ms, ignored, limits_met, unfamiliar, cadence_ms,
    {{include stream_judged time_ms=ts}}
FROM
(
    {{include stream_read}}
    SELECT
        message, _topic, _partition, _offset, _timestamp_ms,
        {{parsed message}},
        exchange != '' AND conn != ''
            AS sound
    FROM md_feed_stats_stream_kafka
);
