-- Levels of changed books are packed from now on (next migration). What is stored already stays as it lies, under other
-- names: nothing is written again. The renaming is a migration of its own, so that one that was cut short can be repeated.
DROP VIEW IF EXISTS md_book_at {{cluster}};
DROP VIEW IF EXISTS md_book_increments {{cluster}};
ALTER TABLE md_book_increments_store {{cluster}}
    DROP INDEX IF EXISTS by_receipt;
ALTER TABLE md_book_increments_store {{cluster}}
    RENAME COLUMN IF EXISTS b TO b_unpacked,
    RENAME COLUMN IF EXISTS bv TO bv_unpacked,
    RENAME COLUMN IF EXISTS a TO a_unpacked,
    RENAME COLUMN IF EXISTS av TO av_unpacked,
    RENAME COLUMN IF EXISTS received_at TO received_at_unpacked;
