-- Rows of an hour as the archive holds them. mdplatform/archive/statements.py fills in a dataset's columns, and which
-- rows: one venue's, or those of all venues.
SELECT
    {{columns}}
{{rows}}
{{venue}}
ORDER BY {{order}}
