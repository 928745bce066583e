{{include stream_begin stream=md_dead_letter_stream at=internal rows=frames}}

CREATE TABLE md_dead_letter_stream {{cluster}}
(
    exchange          String                      COMMENT 'venue id',
    reason            String                      COMMENT 'short word',
    error             String                      COMMENT 'what was wrong',
    frame             String                      COMMENT 'verbatim',
    encoding          String                      COMMENT 'base64 or empty',
    conn              String                      COMMENT 'connection',
    frame_bytes       UInt64                      COMMENT 'length of a frame that was cut, else 0',
    frame_sha256      String                      COMMENT 'of a frame that was cut, else empty',
    {{include stream_columns}}
)
ENGINE = Null;

CREATE MATERIALIZED VIEW md_dead_letter_stream_frames {{cluster}} TO md_dead_letter_store AS
SELECT
    exchange, reason, error, frame, encoding, conn, frame_bytes, frame_sha256,
    fromUnixTimestamp64Milli(intDiv(received_ns, 1000000), 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(received_ns, 'UTC') AS received_at,
    _topic, _partition, _offset
FROM md_dead_letter_stream AS stream
WHERE refusal = '';

{{include stream_refused stream=md_dead_letter_stream}}

{{include stream_kafka stream=md_dead_letter_stream at=internal topics=dead_letters}}

CREATE MATERIALIZED VIEW md_dead_letter_stream_kafka_view {{cluster}} TO md_dead_letter_stream AS
SELECT
    exchange, reason, error, frame, encoding, conn, frame_bytes, frame_sha256,
    {{include stream_judged time_ms=intDiv(received_ns,1000000)}}
FROM
(
    {{include stream_read}}
    SELECT
        message, _topic, _partition, _offset, _timestamp_ms,
        {{parsed message}},
        reason != ''
            AS sound
    FROM md_dead_letter_stream_kafka
);
