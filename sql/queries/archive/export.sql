-- One venue's rows of an hour, as the archive holds them. mdplatform/archive/statements.py fills in a dataset's columns.
SELECT
    {{columns}}
{{rows}}
    AND rows.exchange = {exchange:String}
ORDER BY {{order}}
