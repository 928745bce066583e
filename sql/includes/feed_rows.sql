stored AS
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
    )
