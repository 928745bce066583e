-- Where an update holds one level, its row's times and numbers cost more than the level. Where a venue states no time,
-- occurrence is a hash, of which differences are larger than itself; times in ms and sequences need few bits as
-- differences. What is stored already stays as it lies: a merge writes it in the new way.
ALTER TABLE md_book_increments_store {{cluster}}
    MODIFY COLUMN timestamp CODEC(Delta, T64, ZSTD(1)),
    MODIFY COLUMN sequence CODEC(Delta, T64, ZSTD(1)),
    MODIFY COLUMN venue_time CODEC(GCD, Delta, ZSTD(1)),
    MODIFY COLUMN precedence CODEC(Delta, T64, ZSTD(1)),
    MODIFY COLUMN occurrence CODEC(ZSTD(1));
