SELECT exchange, symbol, '{{channel}}' AS channel, toStartOfHour(timestamp) AS hour, count() AS rows, {{refilled}} AS refilled
        FROM {{table}}
        WHERE timestamp >= starts AND timestamp < ends AND exchange LIKE {exchange:String} AND symbol LIKE {symbol:String}
        GROUP BY exchange, symbol, hour
