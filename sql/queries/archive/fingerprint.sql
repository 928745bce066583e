-- What each venue's archive file of an hour must agree with; mdplatform/archive/checksum.py says how `checksum` is made,
-- mdplatform/archive/statements.py fills in a dataset's columns.
SELECT
    toString(exchange) AS exchange, count() AS rows,
    {{least}} AS min_sequence, {{most}} AS max_sequence,
    sum((2 * {{weight}} + 1) * (
        {{checked}})) AS checksum
{{rows}}
GROUP BY exchange
