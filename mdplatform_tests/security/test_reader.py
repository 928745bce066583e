"""What a reader may try at the embedded node, and how much of it is done: nothing.

Canaries are files in the test's own directory and a listener on loopback.
"""

from __future__ import annotations

import pytest

from mdplatform_tests.contract.clickhouse.asking import ask
from mdplatform_tests.security.host import Host

FILES = [
    "SELECT file('{file}')",
    "SELECT `file`('{file}')",
    "SELECT \"file\"('{file}')",
    "SELECT `f\\x69le`('{file}')",
    "SELECT `\\x66\\x69\\x6c\\x65`('{file}')",
    "SELECT file ('{file}')",
    "SELECT file\n('{file}')",
    "SELECT file/* ( */('{file}')",
    "SELECT file-- x\n('{file}')",
    "SELECT file// x\n('{file}')",
    "SELECT file# x\n('{file}')",
    "SELECT file\u00a0('{file}')",
    "SELECT FILE('{file}')",
    "SELECT file('{file}', 'default')",
    "SELECT length(file('{file}'))",
    "SELECT substring(file('{file}'), 1, 100)",
    "SELECT (SELECT file('{file}'))",
    "(SELECT file('{file}'))",
    "WITH file('{file}') AS x SELECT x",
    "WITH x AS (SELECT file('{file}') AS y) SELECT y FROM x",
    "FROM system.one SELECT file('{file}')",
    "SELECT * APPLY(file) FROM (SELECT '{file}' AS a)",
    "SELECT * APPLY file FROM (SELECT '{file}' AS a)",
    "SELECT * APPLY(`file`) FROM (SELECT '{file}' AS a)",
    "SELECT * APPLY(x -> file(x)) FROM (SELECT '{file}' AS a)",
    "SELECT COLUMNS('a') APPLY(file) FROM (SELECT '{file}' AS a)",
    "SELECT a.* APPLY(file) FROM (SELECT '{file}' AS a) AS a",
    "SELECT arrayMap(x -> file(x), ['{file}'])",
    "SELECT arrayMap(file, ['{file}'])",
    "SELECT arrayFilter(x -> file(x) != '', ['{file}']), file('{file}')",
    "SELECT if(1, file('{file}'), '')",
    "SELECT throwIf(1, file('{file}'))",
    "SELECT toInt32(file('{file}'))",
    "SELECT 1 IN file('{file}')",
    "SELECT 1 WHERE file('{file}') = 'x' OR throwIf(1, file('{file}'))",
    "SELECT count() FROM system.one GROUP BY file('{file}') WITH TOTALS HAVING file('{file}') != ''",
    "SELECT 1 ORDER BY file('{file}')",
    "SELECT 1 UNION ALL SELECT length(file('{file}'))",
    "SELECT * FROM view(SELECT file('{file}'))",
    "SELECT * FROM values('a String', file('{file}'))",
    "SELECT * FROM format(LineAsString, file('{file}'))",
    "SELECT * FROM numbers(length(file('{file}')))",
    "SELECT file(name) FROM (SELECT '{file}' AS name)",
    "SELECT 1 /* /* */ ' */ , file('{file}') /* ' */",
    "SELECT “file”('{file}')",
    "SELECT ‘'’, file('{file}') -- '",
    "SELECT $a$'$a$, file('{file}') -- '",
    "SELECT '\\\\', file('{file}') -- '",
    "SELECT '''', file('{file}') -- '",
    "SELECT 1 // '\n , file('{file}') -- '",
    "EXPLAIN SELECT file('{file}')",
    "EXPLAIN PLAN actions = 1 SELECT file('{file}')",
    "EXPLAIN PIPELINE SELECT file('{file}')",
    "EXPLAIN ESTIMATE SELECT file('{file}')",
    "EXPLAIN QUERY TREE SELECT file('{file}')",
    "SET max_threads = file('{file}')",
    "SELECT catboostEvaluate('{file}', 1)",
]
TABLES = [
    "SELECT * FROM file('{file}')",
    "SELECT * FROM file('{file}', 'LineAsString')",
    "SELECT * FROM `file`('{file}', 'LineAsString')",
    "SELECT * FROM File('{file}', 'LineAsString')",
    "SELECT * FROM fileCluster('default', '{file}', 'LineAsString')",
    "SELECT * FROM system.one, file('{file}', 'LineAsString')",
    "SELECT * FROM system.one JOIN file('{file}', 'LineAsString') AS f ON 1",
    "SELECT * FROM (SELECT * FROM file('{file}', 'LineAsString'))",
    "DESCRIBE TABLE file('{table}')",
    "DESCRIBE file('{table}')",
    "DESC TABLE file('{table}')",
    "DESCRIBE TABLE file('{file}', 'LineAsString')",
    "DESCRIBE (SELECT * FROM file('{table}'))",
    "DESCRIBE TABLE fileCluster('default', '{table}')",
    "SELECT * FROM '{table}'",
    "SELECT * FROM '{file}'",
    "SELECT * FROM system.one, '{table}'",
    "SELECT * FROM system.one JOIN '{table}' ON 1",
    "SELECT * FROM `{table}`",
    "SELECT * FROM `{file}`",
    "SELECT * FROM default.`{table}`",
    "SELECT * FROM marketdata.`{table}`",
    "SELECT * FROM {{t:Identifier}}",
    "DESCRIBE TABLE '{table}'",
    "DESCRIBE TABLE `{table}`",
    "DESCRIBE TABLE default.`{table}`",
    "SHOW CREATE TABLE `{table}`",
    "SHOW CREATE TABLE default.`{table}`",
    "SELECT * FROM sqlite('{file}', 'x')",
    "SELECT * FROM icebergLocal('{dir}')",
    "SELECT * FROM deltaLakeLocal('{dir}')",
    "SELECT * FROM paimonLocal('{dir}')",
    "SELECT * FROM executable('cat {file}', 'LineAsString', 'a String')",
    "DESCRIBE TABLE executable('cat {file}', 'LineAsString', 'a String')",
    "SELECT * FROM Python(os)",
    "SELECT * FROM dictionary('x')",
    "SELECT * FROM input('a String')",
    "SELECT * FROM mergeTreeIndex(marketdata, kept)",
]
SERVERS = [
    "SELECT * FROM url('http://{server}/', 'LineAsString')",
    "SELECT * FROM url('http://{server}/', 'LineAsString', 'a String')",
    "DESCRIBE TABLE url('http://{server}/x.csv')",
    "SELECT * FROM `url`('http://{server}/', 'LineAsString', 'a String')",
    "SELECT * FROM URL('http://{server}/', 'LineAsString', 'a String')",
    "SELECT * FROM url/**/('http://{server}/', 'LineAsString', 'a String')",
    "SELECT * FROM urlCluster('default', 'http://{server}/', 'LineAsString')",
    "SELECT * FROM 'http://{server}/x.csv'",
    "SELECT * FROM `http://{server}/x.csv`",
    "SELECT * FROM s3('http://{server}/a/b.csv', 'k', 's')",
    "DESCRIBE TABLE s3('http://{server}/a/b.csv', 'k', 's')",
    "SELECT * FROM gcs('http://{server}/a/b.csv', 'k', 's')",
    "SELECT * FROM oss('http://{server}/a/b.csv', 'k', 's')",
    "SELECT * FROM hdfs('hdfs://{server}/b.csv')",
    "SELECT * FROM azureBlobStorage('DefaultEndpointsProtocol=http;BlobEndpoint=http://{server}/', 'c', 'b.csv')",
    "SELECT * FROM iceberg('http://{server}/a/', 'k', 's')",
    "SELECT * FROM deltaLake('http://{server}/a/', 'k', 's')",
    "SELECT * FROM hudi('http://{server}/a/', 'k', 's')",
    "SELECT * FROM remote('{server}', 'system.one')",
    "SELECT * FROM remote('{server}', view(SELECT 1))",
    "SELECT * FROM remoteSecure('{server}', 'system.one')",
    "SELECT 1 IN (SELECT * FROM remote('{server}', 'system.one'))",
    "SELECT * FROM cluster('default', 'system.one')",
    "SELECT * FROM clusterAllReplicas('default', 'system.one')",
    "SELECT * FROM mysql('{server}', 'd', 't', 'u', 'p')",
    "EXPLAIN TABLE OVERRIDE mysql('{server}', 'd', 't', 'u', 'p') PARTITION BY 1",
    "SELECT * FROM postgresql('{server}', 'd', 't', 'u', 'p')",
    "DESCRIBE TABLE postgresql('{server}', 'd', 't', 'u', 'p')",
    "SELECT * FROM mongodb('{server}', 'd', 't', 'u', 'p', 'a String')",
    "SELECT * FROM redis('{server}', 'k', 'k String')",
    "SELECT * FROM jdbc('x', 'd', 't')",
    "SELECT * FROM odbc('x', 'd', 't')",
    "SELECT * FROM ytsaurus('http://{server}', '//x', 't', 'a String')",
    "SELECT * FROM format(AvroConfluent, 'x') SETTINGS format_avro_schema_registry_url = 'http://{server}'",
]
FORMATS = [
    "SELECT 1 AS x FORMAT Template SETTINGS format_template_row = '{file}'",
    "SELECT 1 AS x FORMAT Template SETTINGS format_template_resultset = '{file}'",
    "SELECT 1 AS x FORMAT Template SETTINGS `format_template_row` = '{file}'",
    "SET format_template_row = '{file}'",
    "SELECT 1 AS x FORMAT Protobuf SETTINGS format_schema = '{file}:M'",
    "SELECT 1 AS x FORMAT CapnProto SETTINGS output_format_schema = '{out}'",
    "SELECT 1 AS x FORMAT Protobuf SETTINGS output_format_schema = '{out}'",
    "SELECT 1 INTO OUTFILE '{out}'",
    "SELECT 1 INTO/**/OUTFILE '{out}'",
    "SELECT 1 INTO OUTFILE '{out}' TRUNCATE FORMAT CSV",
]
MADE = "CREATE TABLE marketdata.made (x UInt8) ENGINE = Memory"
CHANGES = [
    f"USE marketdata PARALLEL WITH {MADE}",
    f"use marketdata parallel with {MADE}",
    f"USE marketdata PARALLEL/**/WITH {MADE}",
    f"USE marketdata PARALLEL\n-- x\nWITH {MADE}",
    f"USE marketdata PARALLEL // x\nWITH {MADE}",
    f"USE marketdata PARALLEL\u00a0WITH {MADE}",
    f"USE marketdata /* /* */ ' */ PARALLEL WITH {MADE} /* ' */",
    f"SET max_threads = 1 PARALLEL WITH {MADE}",
    f"USE marketdata PARALLEL WITH USE marketdata PARALLEL WITH {MADE}",
    "USE marketdata PARALLEL WITH CREATE USER made",
    "USE marketdata PARALLEL WITH GRANT ALL ON *.* TO reader",
    "USE marketdata PARALLEL WITH DROP TABLE marketdata.kept",
    "USE marketdata PARALLEL WITH INSERT INTO marketdata.kept SELECT 2",
    "USE marketdata PARALLEL WITH BACKUP TABLE marketdata.kept TO File('{out}')",
    MADE,
    f"/* /* */ SELECT 1 -- */ {MADE}",
    f"// SELECT 1\n{MADE}",
    f"SELECT 1; {MADE}",
    f"SELECT 1 // '\n; {MADE} -- '",
    "CREATE TEMPORARY TABLE made (x UInt8) ENGINE = Memory",
    "CREATE TEMPORARY TABLE made ENGINE = File(CSV, '{out}')",
    "CREATE FUNCTION made AS (x) -> x",
    "CREATE NAMED COLLECTION made AS a = 1",
    "INSERT INTO marketdata.kept VALUES (2)",
    "INSERT INTO FUNCTION file('{out}', 'CSV', 'a UInt8') VALUES (1)",
    "INSERT INTO FUNCTION file('{out}', 'CSV', 'a UInt8') SELECT 1",
    "WITH 1 AS x INSERT INTO marketdata.kept SELECT x",
    "DROP TABLE marketdata.kept",
    "ALTER TABLE marketdata.kept DELETE WHERE 1",
    "DELETE FROM marketdata.kept WHERE 1",
    "UPDATE marketdata.kept SET n = 2 WHERE 1",
    "OPTIMIZE TABLE marketdata.kept",
    "RENAME TABLE marketdata.kept TO marketdata.made",
    "EXCHANGE TABLES marketdata.kept AND system.one",
    "DETACH TABLE marketdata.kept",
    "ATTACH TABLE marketdata.made UUID '00000000-0000-0000-0000-000000000001'",
    "UNDROP TABLE marketdata.kept",
    "EXECUTE AS default SELECT 1",
    f"EXECUTE AS default {MADE}",
    "GRANT ALL ON *.* TO reader",
    "BACKUP TABLE marketdata.kept TO File('{out}')",
    "RESTORE TABLE marketdata.kept AS marketdata.made FROM File('{out}')",
    "KILL QUERY WHERE 1",
    "SYSTEM SHUTDOWN",
    "SYSTEM RELOAD CONFIG",
    "SET readonly = 0",
    "SELECT 1 SETTINGS readonly = 0",
    "SET allow_ddl = 0",
    "SELECT addressToSymbol(1)",
]
ATTEMPTS = [*FILES, *TABLES, *SERVERS, *FORMATS, *CHANGES]
READS = [
    "SELECT table FROM system.parts WHERE database = 'x' AND active AND endsWith(table, '_store') ORDER BY table DESC",
    "SELECT n, 'x' FROM marketdata.kept AS a JOIN (SELECT 'y' AS z, 'x') AS b ON a.n = 1 WHERE n IN (1) OR 'a' = 'b'",
    "SELECT EXTRACT(YEAR FROM toDate('2026-01-01')), position('a' IN 'b'), substring('abc' FROM 1 FOR 2)",
    "SELECT 1",
    "SELECT n FROM marketdata.kept",
    "SELECT sum(n) AS s FROM marketdata.kept AS k WHERE n IN (1, 2) GROUP BY n WITH TOTALS ORDER BY s LIMIT 1",
    "SELECT trim(BOTH 'x' FROM 'xax'), 'file', 'PARALLEL WITH', 'url(' /* file( */ -- url(\n",
    "SELECT 'ünï', \"n\", `n`, 1e-3, 1.5, [1, 2][1], (1, 'a').2, -1 FROM marketdata.kept",
    "SELECT url[1] FROM (SELECT ['http://x/file'] AS url)",
    "SELECT number FROM numbers(3) UNION ALL SELECT 1",
    "WITH (SELECT 1) AS x SELECT x, $$it's$$, {n:UInt8} FROM system.one",
    "SELECT * FROM view(SELECT 1) AS a, values('a Int8', 1) AS b",
    "SHOW TABLES FROM marketdata LIKE 'kept'",
    "DESCRIBE TABLE marketdata.kept",
    "EXISTS TABLE marketdata.kept",
    "EXPLAIN SELECT 1",
    "SELECT name FROM system.tables FORMAT JSON",
    "SELECT n, map('a', 1)['a'], n::String, n % 2 != 1 OR n <= 3 ? 1 : 0 FROM marketdata.kept # x",
]


@pytest.mark.parametrize("sql", ATTEMPTS)
def test_a_reader_s_attempt_comes_to_nothing(host: Host, sql: str) -> None:
    values = host.values()
    reply = ask(host.node.reader_url, sql.format(**values).encode(), {"param_t": values["table"]})
    assert (host.damage(reply), reply.status != 200) == ([], True)
    assert reply.body.count(b"\n") == 1 or reply.code not in ("497", "62")


@pytest.mark.parametrize("sql", READS)
def test_a_reader_still_reads(host: Host, sql: str) -> None:
    assert ask(host.node.reader_url, sql.encode(), {"param_n": "1"}).status == 200


@pytest.mark.parametrize("sql", [sql for sql in CHANGES if "PARALLEL" in sql.upper()])
def test_parallel_with_is_refused_for_everybody(host: Host, sql: str) -> None:
    reply = ask(host.node.url, sql.format(**host.values()).encode())
    assert (host.damage(reply), reply.code) == ([], "48")


@pytest.mark.parametrize("setting", ["format_template_row", "format_template_resultset", "format_schema"])
def test_a_reader_s_url_names_no_file(host: Host, setting: str) -> None:
    sql = "SELECT 1 AS x FORMAT " + ("Protobuf" if setting == "format_schema" else "Template")
    reply = ask(host.node.reader_url, sql, {setting: host.values()["file"]})
    assert (host.damage(reply), reply.code) == ([], "452")
