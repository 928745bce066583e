"""What several files of SQL share stands in one: how it is taken in."""

from pathlib import Path

import pytest

from mdplatform.core.errors import ConfigError
from mdplatform.warehouse import files
from mdplatform.warehouse.files import sql_files, sql_text


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


def test_every_include_is_used() -> None:
    used = "".join(path.read_text() for folder in ("streams", "queries", "analysis") for path in sql_files(folder))
    assert [path.name for path in sql_files("includes") if f"{{{{include {path.stem}" not in used] == []


def test_migrations_include_nothing() -> None:
    assert [path.name for path in sql_files("migrations") if "{{include" in path.read_text()] == []
