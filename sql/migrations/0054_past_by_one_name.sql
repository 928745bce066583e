-- What was collected and what venues publish afterwards, by one name and each once: funding as it was paid, open interest.
-- A payment that both have is one row, at the published rate; stated_rate is what was collected of it.
CREATE OR REPLACE VIEW md_funding_paid {{cluster}} AS
SELECT
    exchange,
    symbol,
    if(countIf(NOT is_archived) > 0, maxIf(due, NOT is_archived), max(due)) AS paid_at,
    -- What the venue publishes afterwards is what was paid; without it the last statement before.
    if(countIf(is_archived) > 0, anyIf(fraction, is_archived), stated_rate) AS rate,
    argMaxIf(mark, (since, receipt), NOT is_archived) AS mark_price,
    argMaxIf(underlying, (since, receipt), NOT is_archived) AS index_price,
    nullIf(maxIf(since, NOT is_archived), toDateTime64(0, 9, 'UTC')) AS stated_at,
    argMaxIf(fraction, (since, receipt), NOT is_archived) AS stated_rate,
    if(countIf(is_archived) > 0, 'archive', 'live') AS provenance
FROM
(
    SELECT
        exchange, symbol, assumeNotNull(next_funding_at) AS due, rate AS fraction, stated.mark_price AS mark,
        stated.index_price AS underlying, venue_time AS since, received_at AS receipt, false AS is_archived
    FROM md_funding AS stated
    WHERE rate IS NOT NULL AND next_funding_at IS NOT NULL
        AND venue_time < next_funding_at AND next_funding_at <= now64(3, 'UTC')
    UNION ALL
    SELECT
        exchange, symbol, timestamp AS due, toNullable(history.rate) AS fraction, NULL AS mark,
        NULL AS underlying, toDateTime64(0, 9, 'UTC') AS since, toDateTime64(0, 9, 'UTC') AS receipt, true AS is_archived
    FROM md_funding_history AS history
)
-- Archives state the time some milliseconds off.
GROUP BY exchange, symbol, toStartOfMinute(due + INTERVAL 30 SECOND);

ALTER TABLE md_funding_paid {{cluster}}
    COMMENT COLUMN exchange 'venue id',
    COMMENT COLUMN symbol 'canonical symbol',
    COMMENT COLUMN paid_at 'when it was paid',
    COMMENT COLUMN rate 'fraction paid: of the venue''s archive, else as stated last before the payment',
    COMMENT COLUMN mark_price 'in quote units, as stated last before the payment',
    COMMENT COLUMN index_price 'in quote units, as stated last before the payment',
    COMMENT COLUMN stated_at 'venue time of the last statement before the payment; NULL where none was collected',
    COMMENT COLUMN stated_rate 'fraction as stated last before the payment; NULL where none was collected',
    COMMENT COLUMN provenance 'of rate: archive, or live';

-- An archived row stands where nothing was collected within the two and a half minutes around it: archives have one each five.
CREATE VIEW IF NOT EXISTS md_open_interest_all {{cluster}} AS
SELECT exchange, symbol, timestamp, open_interest, open_interest_value, raw_open_interest, 'live' AS provenance
FROM md_open_interest
UNION ALL
SELECT
    exchange, symbol, timestamp, assumeNotNull(history.open_interest) AS open_interest, open_interest_value,
    raw_open_interest, toString(history.provenance) AS provenance
FROM md_open_interest_history AS history
WHERE history.open_interest IS NOT NULL
    AND (exchange, symbol, toStartOfInterval(timestamp + INTERVAL 150 SECOND, INTERVAL 5 MINUTE)) NOT IN
    (
        SELECT exchange, symbol, toStartOfInterval(timestamp + INTERVAL 150 SECOND, INTERVAL 5 MINUTE)
        FROM md_open_interest
        WHERE (exchange, symbol) IN (SELECT exchange, symbol FROM md_open_interest_history)
    );

ALTER TABLE md_open_interest_all {{cluster}}
    COMMENT COLUMN exchange 'venue id',
    COMMENT COLUMN symbol 'canonical symbol',
    COMMENT COLUMN timestamp 'venue time; receive time where the venue sends none',
    COMMENT COLUMN open_interest 'open contracts in base units, of one side or both as the venue counts them',
    COMMENT COLUMN open_interest_value 'in quote units; NULL where nothing states it',
    COMMENT COLUMN raw_open_interest 'as the venue stated it, where it counts contracts; else NULL',
    COMMENT COLUMN provenance 'live or archive';
