AND rows.exchange = {exchange:String}
