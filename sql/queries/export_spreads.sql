-- One venue's rows of md_spread_hourly for an hour, as the archive holds them. A column `hour` would hide the directory's.
SELECT
    toString(exchange) AS exchange, toString(symbol) AS symbol, toDateTime64(hour, 3, 'UTC') AS timestamp,
    toInt64(updates) AS updates, coverage, spread, spread_median, spread_p95, spread_p99,
    spread_bps, spread_bps_median, spread_bps_p95, spread_bps_p99,
    mid_open, mid_high, mid_low, mid_close, imbalance,
    bid_depth_10bps_base, bid_depth_10bps_quote, ask_depth_10bps_base, ask_depth_10bps_quote,
    realized_volatility, order_flow_imbalance
FROM md_spread_hourly
WHERE md_spread_hourly.exchange = {exchange:String} AND hour = {hour:DateTime('UTC')}
ORDER BY symbol
