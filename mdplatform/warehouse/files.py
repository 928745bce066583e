"""Where the project's SQL is, and how a file of it falls into statements."""

from __future__ import annotations

import re
from pathlib import Path

from mdplatform.errors import ConfigError

SQL = Path(__file__).parents[2] / "sql"

_END = re.compile(r";[ \t]*(?:--.*)?$", re.MULTILINE)
_COMMENT_LINE = re.compile(r"^\s*--.*$", re.MULTILINE)


def sql_files(folder: str) -> list[Path]:
    """The files of ``sql/<folder>`` in order of their names; raises ConfigError when the folder is not there."""
    directory = SQL / folder
    if not directory.is_dir():
        raise ConfigError(f"no SQL in {directory}: install the project from its checkout (pip install -e .)")
    return sorted(directory.glob("*.sql"))


def statements(text: str) -> list[str]:
    """The statements of ``text``, comments before them kept; a statement ends with a semicolon at a line's end."""
    parts = (part.strip() for part in _END.split(text))
    return [part for part in parts if _COMMENT_LINE.sub("", part).strip()]
