-- Trades from {{begin}} to {{end}}, each match once: where one row stands for several matches, as another feed of the venue
    -- gives them, those matches are left out. It covers what is numbered from first_id to id at most a minute apart, in case
    -- that the numbering begins again. The cheapest that is right: a join by the next such row, which costs next to nothing
    -- while there is none. Rows of one id were made one before.
    SELECT single.*
    FROM
    (
        SELECT *, toUInt64OrZero(id) AS number
        FROM md_trades AS every
        WHERE every.timestamp >= {{begin}} AND every.timestamp < {{end}}
    ) AS single
    ASOF LEFT JOIN
    (
        SELECT exchange, symbol, toUInt64OrZero(id) AS last, toUInt64OrZero(ifNull(first_id, '')) AS first, venue_time
        FROM md_trades AS every
        WHERE every.timestamp >= {{begin}} - INTERVAL 1 MINUTE AND every.timestamp < {{end}} + INTERVAL 1 MINUTE
            AND count > 1
    ) AS several
        ON single.exchange = several.exchange AND single.symbol = several.symbol AND single.number <= several.last
    WHERE ifNull(single.count, 1) > 1 OR single.number = 0 OR several.first = 0 OR single.number < several.first
        OR abs(dateDiff('second', single.venue_time, several.venue_time)) > 60
