-- Funding as it was paid: one row a payment, with what was stated last before it. Only of venues that say when the next
-- payment is due; a long time from stated_at to paid_at says that nobody collected meanwhile.
CREATE VIEW IF NOT EXISTS md_funding_paid {{cluster}} AS
SELECT
    exchange,
    symbol,
    assumeNotNull(stated.next_funding_at) AS paid_at,
    argMax(stated.rate, (stated.venue_time, stated.received_at)) AS rate,
    argMax(stated.mark_price, (stated.venue_time, stated.received_at)) AS mark_price,
    argMax(stated.index_price, (stated.venue_time, stated.received_at)) AS index_price,
    max(stated.venue_time) AS stated_at
FROM md_funding_store AS stated
WHERE stated.rate IS NOT NULL AND stated.next_funding_at IS NOT NULL
    AND stated.venue_time < stated.next_funding_at AND stated.next_funding_at <= now64(3, 'UTC')
GROUP BY exchange, symbol, stated.next_funding_at;

ALTER TABLE md_funding_paid {{cluster}}
    COMMENT COLUMN exchange 'venue id',
    COMMENT COLUMN symbol 'canonical symbol',
    COMMENT COLUMN paid_at 'when it was paid',
    COMMENT COLUMN rate 'fraction paid, as stated last before the payment',
    COMMENT COLUMN mark_price 'in quote units, as stated last before the payment',
    COMMENT COLUMN index_price 'in quote units, as stated last before the payment',
    COMMENT COLUMN stated_at 'venue time of the last statement before the payment';
