stored AS
    (
        SELECT exchange, symbol, channel, hour, sum(each.rows) AS rows, sum(each.refilled) AS refilled
        FROM
        (
            {{include hour_rows channel=book table=md_orderbook_depth refilled=0}}
            UNION ALL
            {{include hour_rows channel=trades table=md_trades refilled=countIf(provenance='rest')}}
            UNION ALL
            {{include hour_rows channel=bbo table=md_quotes refilled=0}}
            UNION ALL
            {{include hour_rows channel=liquidations table=md_liquidations refilled=0}}
            UNION ALL
            {{include hour_rows channel=funding table=md_funding refilled=0}}
            UNION ALL
            {{include hour_rows channel=funding table=md_option_summary refilled=0}}
            UNION ALL
            {{include hour_rows channel=open_interest table=md_open_interest refilled=0}}
            UNION ALL
            {{include hour_rows channel=index table=md_index refilled=0}}
        ) AS each
        GROUP BY exchange, symbol, channel, hour
    )
