chain AS
    (
        SELECT
            splitByChar('-', symbol) AS parts,
            parts[-3] AS expiry, toFloat64OrZero(parts[-2]) AS strike, if(parts[-1] = 'C', 'call', 'put') AS option_kind, *
        FROM md_option_summary AS summaries
        WHERE exchange = {exchange:String} AND startsWith(symbol, concat({pair:String}, '-'))
            AND timestamp >= {start:DateTime64(9, 'UTC')} AND timestamp < {end:DateTime64(9, 'UTC')}
            AND parseDateTimeBestEffort(concat(expiry, ' 08:00:00'), 'UTC') > {end:DateTime64(9, 'UTC')}
        ORDER BY symbol, venue_time DESC
        LIMIT 1 BY symbol
    )
