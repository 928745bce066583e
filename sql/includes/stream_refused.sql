CREATE MATERIALIZED VIEW {{stream}}_refused {{cluster}} TO md_dead_letter_store AS
SELECT
    exchange,
    refusal AS reason,
    multiIf(
        refusal = 'impossible_time', 'its time is before 2009, after 2100, or more than a day after it was received',
        refusal = 'incomplete_message', 'a field is missing or has an impossible value',
        'not JSON') AS error,
    message AS frame,
    fromUnixTimestamp64Milli(logged_ms, 'UTC') AS timestamp,
    fromUnixTimestamp64Nano(logged_ms * 1000000, 'UTC') AS received_at,
    _topic, _partition, _offset
FROM {{stream}} AS stream
WHERE refusal != '';
