-- What an instrument's worth follows and of which class its base is, as far as the venue states it; which of the two kinds an
-- option is, in words.
ALTER TABLE md_instruments_store {{cluster}}
    ADD COLUMN IF NOT EXISTS underlying Nullable(String) COMMENT 'what its worth follows, under the venue''s name' CODEC(ZSTD(1)) AFTER alias_of,
    ADD COLUMN IF NOT EXISTS asset_class LowCardinality(Nullable(String)) COMMENT 'of its base: crypto, stock, commodity, forex, index or other; NULL where the venue does not say' CODEC(ZSTD(1)) AFTER underlying;

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
FROM md_instruments_store FINAL;

ALTER TABLE md_instruments {{cluster}}
    COMMENT COLUMN option_kind 'call or put, of an option',
    COMMENT COLUMN valid_from 'this version holds from here',
    COMMENT COLUMN valid_to 'to here, where the next version begins; NULL: it still holds';

-- The three venues that state greeks agree on what they are (checked against Black's formula): in dollars, of one base unit.
ALTER TABLE md_option_summary_store {{cluster}}
    COMMENT COLUMN delta 'dollars that the option gains a dollar of the underlying; of OKX deltaBS, not that in coin',
    COMMENT COLUMN gamma 'how much delta grows a dollar of the underlying',
    COMMENT COLUMN vega 'dollars that the option gains a percentage point of volatility',
    COMMENT COLUMN theta 'dollars that the option gains a day',
    COMMENT COLUMN rho 'dollars that the option gains a percentage point of interest; Deribit alone states it';

CREATE OR REPLACE VIEW md_option_summary {{cluster}} AS
SELECT * FROM md_option_summary_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
