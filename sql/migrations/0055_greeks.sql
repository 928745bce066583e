-- What greeks mean, venue by venue. OKX sends two kinds: by Black and Scholes in dollars (thetaBS), which are kept, as they are
-- alike at all three, and adjusted for a price in coins (theta), which are not.
ALTER TABLE md_option_summary_store {{cluster}}
    COMMENT COLUMN delta 'change of the value in dollars by a dollar of the underlying: of Deribit and Bybit as sent, of OKX deltaBS',
    COMMENT COLUMN gamma 'change of delta by a dollar of the underlying: of Deribit and Bybit as sent, of OKX gammaBS',
    COMMENT COLUMN vega 'dollars by a percentage point of volatility: of Deribit and Bybit as sent, of OKX vegaBS',
    COMMENT COLUMN theta 'dollars a day: of Deribit and Bybit as sent, of OKX thetaBS (its theta in coins is not kept)',
    COMMENT COLUMN rho 'dollars by a percentage point of interest: of Deribit as sent; OKX and Bybit send none';

ALTER TABLE md_option_summary {{cluster}}
    COMMENT COLUMN delta 'change of the value in dollars by a dollar of the underlying: of Deribit and Bybit as sent, of OKX deltaBS',
    COMMENT COLUMN gamma 'change of delta by a dollar of the underlying: of Deribit and Bybit as sent, of OKX gammaBS',
    COMMENT COLUMN vega 'dollars by a percentage point of volatility: of Deribit and Bybit as sent, of OKX vegaBS',
    COMMENT COLUMN theta 'dollars a day: of Deribit and Bybit as sent, of OKX thetaBS (its theta in coins is not kept)',
    COMMENT COLUMN rho 'dollars by a percentage point of interest: of Deribit as sent; OKX and Bybit send none';
