-- What columns mean that a view makes itself; of the others the table behind it says so.
ALTER TABLE md_top_of_book {{cluster}}
    COMMENT COLUMN mid '(bid + ask) / 2, quote units',
    COMMENT COLUMN spread 'ask - bid, quote units',
    COMMENT COLUMN spread_bps 'spread / mid * 10000',
    COMMENT COLUMN imbalance '(bid size - ask size) / (bid size + ask size), -1 to 1';

ALTER TABLE md_instruments {{cluster}}
    COMMENT COLUMN valid_from 'this version holds from here',
    COMMENT COLUMN valid_to 'to here, where the next version begins; NULL: it still holds';

ALTER TABLE md_feed_proven {{cluster}}
    COMMENT COLUMN exchange 'venue id',
    COMMENT COLUMN symbol 'canonical symbol: BTC-USDT, BTC-USDT-PERP',
    COMMENT COLUMN channel 'book, trades, ...',
    COMMENT COLUMN valid_from_ns 'proven from here on, receive time in ns since 1970',
    COMMENT COLUMN valid_to_ns 'proven up to here, receive time in ns since 1970';

ALTER TABLE md_feed_gaps {{cluster}}
    COMMENT COLUMN exchange 'venue id',
    COMMENT COLUMN symbol 'canonical symbol: BTC-USDT, BTC-USDT-PERP',
    COMMENT COLUMN channel 'book, trades, ...',
    COMMENT COLUMN collector 'whose gap it is',
    COMMENT COLUMN state 'gap, resync, stale or down',
    COMMENT COLUMN cause 'why the interval began',
    COMMENT COLUMN started_at 'begin, receive time',
    COMMENT COLUMN ended_at 'known to hold until; NULL when only its begin is known',
    COMMENT COLUMN started_ns 'started_at in ns since 1970',
    COMMENT COLUMN ended_ns 'ended_at in ns since 1970',
    COMMENT COLUMN first_sequence 'first update id of the interval',
    COMMENT COLUMN last_sequence 'last update id of the interval',
    COMMENT COLUMN missed 'updates known to be missing',
    COMMENT COLUMN prevented '1 where another collector proved the feed all the while';
