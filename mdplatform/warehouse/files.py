"""Where the project's SQL is, how a file of it takes in what several share, and how it falls into statements."""

from __future__ import annotations

import re
from pathlib import Path

from mdplatform.core.errors import ConfigError

SQL = Path(__file__).parents[2] / "sql"

_END = re.compile(r";[ \t]*(?:--.*)?$", re.MULTILINE)
_COMMENT_LINE = re.compile(r"^\s*--.*$", re.MULTILINE)
_INCLUDE = re.compile(r"\{\{include (\w+)((?: \w+=\S+?)*)\}\}")


def sql_files(folder: str) -> list[Path]:
    """The files of ``sql/<folder>`` in order of their names; raises ConfigError when the folder is not there."""
    directory = SQL / folder
    if not directory.is_dir():
        raise ConfigError(f"no SQL in {directory}: install the project from its checkout (pip install -e .)")
    return sorted(directory.glob("*.sql"))


def sql_text(path: Path) -> str:
    """The file's text with ``{{include NAME key=value ...}}`` replaced by ``sql/includes/NAME.sql``.

    In what is taken in, ``{{key}}`` becomes its value; other placeholders stay, for ``render``. Migrations include
    nothing: their bytes are locked. Raises ConfigError for an include that does not exist.
    """
    return _INCLUDE.sub(lambda found: _included(found[1], found[2], path), path.read_text())


def _included(name: str, arguments: str, path: Path) -> str:
    source = SQL / "includes" / f"{name}.sql"
    if not source.is_file():
        raise ConfigError(f"{path.parent.name}/{path.name} includes sql/includes/{name}.sql, which is not there")
    text = sql_text(source).strip()
    for key, value in (argument.split("=", 1) for argument in arguments.split()):
        text = text.replace("{{" + key + "}}", value)
    return text


def statements(text: str) -> list[str]:
    """The statements of ``text``, comments before them kept; a statement ends with a semicolon at a line's end."""
    parts = (part.strip() for part in _END.split(text))
    return [part for part in parts if _COMMENT_LINE.sub("", part).strip()]
