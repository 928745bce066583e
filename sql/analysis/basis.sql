-- Basis and funding carry: how far a perpetual is above its spot, and what holding it pays.
-- basis = 10000 (F / S - 1) in bps of the mids F of the perpetual and S of the spot, those received last in the interval; one
-- without books of both is left out. carry = rate * 8760 / h per year: what a short perpetual against spot receives when the
-- rate stated last, paid every h hours, stays (Schmeling, Schrimpf and Todorov, Crypto Carry, BIS Working Paper 1087, 2023).
-- {exchange} = binance-usdm: venue id of the perpetual
-- {symbol} = BTC-USDT-PERP: its canonical symbol
-- {spot} = binance: venue id of the spot
-- {spot_symbol} = BTC-USDT: its canonical symbol
-- {hours} = 8: between two payments of funding
-- {seconds} = 60: length of an interval
-- {start} = an hour before the end: from this time on, UTC
-- {end} = now: before this time, UTC
WITH
    tops AS
    (
        SELECT
            exchange = {exchange:String} AND symbol = {symbol:String} AS is_perpetual, received_time, sequence,
            {{include mid bid=bid_price ask=ask_price}} AS mid,
            toStartOfInterval(received_time, toIntervalSecond({seconds:UInt32})) + toIntervalSecond({seconds:UInt32}) AS closes
        FROM md_top_of_book
        WHERE ((exchange = {exchange:String} AND symbol = {symbol:String})
                OR (exchange = {spot:String} AND symbol = {spot_symbol:String}))
            AND timestamp >= {start:DateTime64(9, 'UTC')} AND timestamp < {end:DateTime64(9, 'UTC')} AND isNotNull(bid_price) AND isNotNull(ask_price)
    ),
    closed AS
    (
        SELECT
            closes,
            argMaxIf(mid, (received_time, sequence), is_perpetual) AS perpetual,
            argMaxIf(mid, (received_time, sequence), NOT is_perpetual) AS spot_mid
        FROM tops
        GROUP BY closes
        HAVING countIf(is_perpetual) > 0 AND countIf(NOT is_perpetual) > 0
    ),
    rates AS
    (
        SELECT 0 AS one, received_time, argMax(rate, venue_time) AS stated
        FROM md_funding
        WHERE exchange = {exchange:String} AND symbol = {symbol:String} AND isNotNull(rate)
            AND timestamp >= {start:DateTime64(9, 'UTC')} - INTERVAL 1 DAY AND timestamp < {end:DateTime64(9, 'UTC')}
        GROUP BY received_time
    )
SELECT
    closed.closes AS at, perpetual, spot_mid AS spot, 10000 * (perpetual / spot_mid - 1) AS basis_bps,
    if(rates.received_time > toDateTime64(0, 9), rates.stated, NULL) AS funding_rate,
    funding_rate * 8760 / {hours:UInt32} AS carry_per_year
FROM (SELECT *, 0 AS one FROM closed) AS closed
ASOF LEFT JOIN rates ON closed.one = rates.one AND closed.closes > rates.received_time
ORDER BY at
