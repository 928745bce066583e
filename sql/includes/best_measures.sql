    {{include mid bid=bid_price ask=ask_price}} AS mid,
    {{include spread bid=bid_price ask=ask_price}} AS spread,
    {{include spread_bps bid=bid_price ask=ask_price}} AS spread_bps,
    (bid_size - ask_size) / (bid_size + ask_size) AS imbalance
