"""What several files of SQL share stands in one: how it is taken in."""

import re
from pathlib import Path

import pytest

from mdplatform.archive import statements
from mdplatform.archive.datasets import DATASETS
from mdplatform.core.errors import ConfigError
from mdplatform.warehouse import files
from mdplatform.warehouse.files import included, sql_files, sql_text


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of SQL with one include, that itself includes another."""
    (tmp_path / "includes").mkdir()
    (tmp_path / "includes/outer.sql").write_text("a {{key}} {{include inner key={{key}}}} {{cluster}}\n")
    (tmp_path / "includes/inner.sql").write_text("b {{topics_{{key}}}}\n")
    monkeypatch.setattr(files, "SQL", tmp_path)
    return tmp_path


def test_an_include_takes_its_values_and_leaves_other_placeholders(shared: Path) -> None:
    (shared / "file.sql").write_text("x {{include outer key=books}} y\n")
    assert sql_text(shared / "file.sql") == "x a books b {{topics_books}} {{cluster}} y\n"


def test_an_include_that_is_not_there_is_refused_by_name(shared: Path) -> None:
    (shared / "file.sql").write_text("{{include nothing}}")
    with pytest.raises(ConfigError, match=r"file\.sql includes sql/includes/nothing\.sql, which is not there"):
        sql_text(shared / "file.sql")


def test_every_include_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    folders = ("streams", "queries", "analysis", "includes")
    used = "".join(path.read_text() for folder in folders for path in sql_files(folder))
    made: set[str] = set()  # by the statements of the archive
    monkeypatch.setattr(statements, "included", lambda name, values: made.add(name) or included(name, values))
    for name in DATASETS:
        statements.export.__wrapped__(name), statements.fingerprint.__wrapped__(name)
    names = [path.stem for path in sql_files("includes")]
    unused = [name for name in names if f"{{{{include {name}" not in used and f"{{{{each archived {name}}}" not in used]
    assert set(unused) <= made


def test_a_stream_reads_the_columns_of_its_table_from_the_message(shared: Path) -> None:
    table = "CREATE TABLE x\n(\n    price    Nullable(Float64)    COMMENT 'a'\n)\nENGINE = Null;\n"
    (shared / "file.sql").write_text(f"{table}SELECT {{{{parsed message}}}} FROM y")
    assert sql_text(shared / "file.sql").endswith(
        "SELECT JSONExtract(message, 'Tuple(price Nullable(Float64), received_ns Int64)') AS fields,\n"
        "        fields.price AS price, fields.received_ns AS received_ns FROM y"
    )


def test_the_settings_of_kafka_tables_stand_once() -> None:
    text = "".join(path.read_text() for folder in ("streams", "includes") for path in sql_files(folder))
    assert (
        text.count("kafka_flush_interval_ms")
        == text.count("kafka_poll_timeout_ms")
        == text.count("ENGINE = Kafka")
        == 1
    )


def test_each_archived_table_is_taken_in_with_its_own_condition(shared: Path) -> None:
    (shared / "includes/row.sql").write_text("{{table}} {{dataset}} {{shown}};")
    (shared / "file.sql").write_text("{{each archived row}}")
    lines = sql_text(shared / "file.sql").splitlines()
    assert {"md_quotes quotes NOT shadow;", "md_trades trades true;"} <= set(lines)


def test_numbers_of_migrations_are_not_given_twice() -> None:
    """The first two pairs were shipped, and their names stand in ledgers."""
    numbers = [path.name.partition("_")[0] for path in sql_files("migrations")]
    assert {number for number in numbers if numbers.count(number) > 1} == {"0025", "0026"}


def test_migrations_include_nothing() -> None:
    assert [path.name for path in sql_files("migrations") if "{{include" in path.read_text()] == []


def test_no_time_is_compared_with_an_end_in_whole_seconds() -> None:
    # Engines from 26.3 to 26.9 look in their indexes for `time < 10:00:00` as for `time <= 09:59:59`, if the bound is
    # a DateTime and the column a DateTime64: what came within the last second was not found.
    upper = r"[<>] \{\w+:DateTime\('UTC'\)\}"
    named = r"(?<!\()\{\w+:DateTime\('UTC'\)\}( [-+] INTERVAL 1 HOUR)? AS (starts|ends)"
    found = [
        path.name
        for folder in ("queries", "analysis", "includes")
        for path in sql_files(folder)
        if re.search(f"{upper}|{named}", path.read_text())
    ]
    assert found == []
