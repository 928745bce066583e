CREATE OR REPLACE TABLE {{table}}_everywhere {{cluster}} AS {{table}}_store
ENGINE = Distributed('{cluster}', currentDatabase(), {{table}}_store, cityHash64(exchange, symbol));

CREATE OR REPLACE VIEW {{table}} {{cluster}} AS
SELECT *{{also}} FROM {{table}}_everywhere FINAL
{{where}}SETTINGS do_not_merge_across_partitions_select_final = 1;

