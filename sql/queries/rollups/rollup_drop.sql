ALTER TABLE {table:Identifier} DROP PARTITION {partition:UInt32}
