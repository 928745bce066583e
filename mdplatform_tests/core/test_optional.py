"""What the image leaves out (numpy, pandas): nothing opens it by itself, and who asks for it learns how to get it."""

import ast
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mdplatform import export, read
from mdplatform.core.errors import ConfigError
from mdplatform.core.optional import needed
from mdplatform.export.run import FORMATS, Request

LEFT_OUT = {"numpy", "pandas"}
BY_REQUEST = {"hftbacktest.py", "nautilus.py"}  # formats of exports, loaded by their name


def imported(tree: ast.AST) -> Iterator[str]:
    """The packages that running the module may import, by ``import`` statements."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]
        yield from imported(node)


def test_only_what_loads_them_by_request_imports_what_the_image_leaves_out() -> None:
    root = Path(export.__file__).parents[1]
    found = {path.name for path in root.rglob("*.py") if LEFT_OUT & set(imported(ast.parse(path.read_text())))}
    assert found == BY_REQUEST


def test_the_image_leaves_out_what_is_said_here() -> None:
    (line,) = [
        line for line in (Path(__file__).parents[2] / "Dockerfile").read_text().splitlines() if "pip uninstall" in line
    ]
    assert set(line.split()) >= LEFT_OUT


def test_a_frame_without_pandas_is_one_line_that_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(
        ConfigError, match=r"^this needs pandas, which is not installed here .+: pip install pandas, or"
    ):
        read.sql("SELECT 1")


def test_a_format_that_needs_more_says_so_before_anything_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    monkeypatch.delitem(sys.modules, "mdplatform.export.hftbacktest", raising=False)
    hour = datetime(2026, 11, 1, tzinfo=UTC)
    with pytest.raises(ConfigError, match="needs numpy"):
        list(Request("hftbacktest", "binance", ["BTC-USDT"], hour, hour).pieces())


def test_what_is_there_is_given() -> None:
    assert {needed(f"mdplatform.export.{module}").DATASETS != () for module in FORMATS.values()} == {True}
