-- A book that lacks a side is proven like any other, and has no spread: what that means for each column.
ALTER TABLE md_spread_hourly_store {{cluster}}
    COMMENT COLUMN updates 'books received, valid or not, empty or not',
    COMMENT COLUMN coverage 'valid time / 3600 s, 0 to 1; time in which a side is empty is valid and counts here, and nowhere below: all that follows is over the valid time with both sides',
    COMMENT COLUMN spread 'ask - bid, mean by time, quote units; NULL where no valid time had both sides',
    COMMENT COLUMN mid_open '(bid + ask) / 2 in force at the first valid moment with both sides',
    COMMENT COLUMN mid_close 'mid in force at the last valid moment with both sides',
    COMMENT COLUMN order_flow_imbalance 'sum over updates, base units (Cont, Kukanov, Stoikov 2014); a side that empties leaves with all of its best size';

ALTER TABLE md_top_of_book_minute_store {{cluster}}
    COMMENT COLUMN updates 'books received, valid or not, empty or not',
    COMMENT COLUMN coverage 'valid time / 60 s, 0 to 1; time in which a side is empty is valid and counts here, and nowhere below: all that follows is over the valid time with both sides',
    COMMENT COLUMN mid_open '(bid + ask) / 2 in force at the first valid moment with both sides',
    COMMENT COLUMN mid_close 'mid in force at the last valid moment with both sides',
    COMMENT COLUMN spread 'ask - bid, mean by time, quote units; NULL where no valid time had both sides';
