-- How many days or months the rows of one block may lie on; 0: any number.
SELECT toUInt64(value) AS partitions FROM system.settings WHERE name = 'max_partitions_per_insert_block'
