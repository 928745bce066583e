-- Minutes in which the trades of a day do not add up to the venue's own klines, in parts per million of the kline's value:
-- a missing trade, one counted twice, or a price of another instrument. Numbers of trades are compared for the venues of
-- which single trades are stored (the parameter); where fills of one order come as one trade, there are fewer. Volumes of
-- inverse contracts (``rounded``) are stated in base units to 8 decimals a trade.
WITH
    {day:Date} AS this_day, toDateTime64(this_day, 3, 'UTC') AS starts, starts + INTERVAL 1 DAY AS ends,
    klines AS
    (
        SELECT exchange, symbol, toDateTime(timestamp, 'UTC') AS minute, open, high, low, close, volume, trades
        FROM md_klines
        WHERE interval = '1m' AND toDate(timestamp) = this_day
    ),
    made AS
    (
        SELECT
            exchange, symbol, toStartOfMinute(venue_time, 'UTC') AS minute,
            argMin(price, (venue_time, toUInt64OrZero(id))) AS made_open,
            max(price) AS made_high,
            min(price) AS made_low,
            argMax(price, (venue_time, toUInt64OrZero(id))) AS made_close,
            sum(qty) AS made_volume,
            sum(ifNull(count, 1)) AS made_trades
        FROM
        (
            {{include counted_trades begin=starts end=ends}}
        )
        WHERE (exchange, symbol) IN (SELECT exchange, symbol FROM klines)
        GROUP BY exchange, symbol, minute
    ),
    compared AS
    (
        SELECT
            exchange, symbol, minute, trades, made_trades, volume, made_volume,
            if(exchange IN {counted:Array(String)}, toInt64(made_trades) - toInt64(trades), 0) AS trades_off,
            multiIf(
                exchange IN {rounded:Array(String)} AND abs(made_volume - volume) <= 1e-8 * greatest(trades, 1), 0,
                volume = 0, if(made_volume = 0, 0, inf), (made_volume / volume - 1) * 1e6
            ) AS volume_ppm,
            -- A minute without trades has the last price, if any.
            if(made_trades = 0 OR trades = 0, 0, (made_open / open - 1) * 1e6) AS open_ppm,
            if(made_trades = 0 OR trades = 0, 0, (made_high / high - 1) * 1e6) AS high_ppm,
            if(made_trades = 0 OR trades = 0, 0, (made_low / low - 1) * 1e6) AS low_ppm,
            if(made_trades = 0 OR trades = 0, 0, (made_close / close - 1) * 1e6) AS close_ppm
        FROM klines
        FULL JOIN made USING (exchange, symbol, minute)
    )
SELECT *, count() OVER () AS bad_rows
FROM compared
WHERE trades_off != 0 OR abs(volume_ppm) > {ppm:Float64} OR abs(open_ppm) > {ppm:Float64} OR abs(high_ppm) > {ppm:Float64}
    OR abs(low_ppm) > {ppm:Float64} OR abs(close_ppm) > {ppm:Float64}
ORDER BY exchange, symbol, minute
LIMIT {limit:UInt64}
