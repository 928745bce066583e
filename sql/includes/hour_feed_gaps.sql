-- Rows of md_feed_gaps that touch the hour, from the statuses that reach to it.
WITH
    not_valid AS
    (
        SELECT *, toInt64(started_ns) AS starts
        FROM md_feed_status
        WHERE state != 'valid' AND started_at < toDateTime64({hour:DateTime('UTC')}, 3, 'UTC') + INTERVAL 1 HOUR
            AND (ended_at > toDateTime64({hour:DateTime('UTC')}, 3, 'UTC')
                OR (ended_at IS NULL AND started_at >= {hour:DateTime('UTC')}))
    ),
    (SELECT minOrNull(starts) FROM not_valid) AS first_started
SELECT
    status.exchange AS exchange, status.symbol AS symbol, status.channel AS channel, state, cause,
    started_at, ended_at, started_ns, ended_ns,
    proven.valid_from_ns > 0 AND if(
        isNull(ended_ns), status.starts < proven.valid_to_ns, toInt64(assumeNotNull(ended_ns)) <= proven.valid_to_ns
    ) AS prevented
FROM not_valid AS status
ASOF LEFT JOIN ({{include proven_since since=first_started}}) AS proven
    ON status.exchange = proven.exchange AND status.symbol = proven.symbol AND status.channel = proven.channel
    AND status.starts >= proven.valid_from_ns
