"""Where the project's SQL is, how a file of it takes in what several share, and how it falls into statements."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from mdplatform.core.errors import ConfigError
from mdplatform.core.event_kinds import EVENT_KINDS

SQL = Path(__file__).parents[2] / "sql"

_END = re.compile(r";[ \t]*(?:--.*)?$", re.MULTILINE)
_COMMENT_LINE = re.compile(r"^\s*--.*$", re.MULTILINE)
_EACH = re.compile(r"\{\{each archived (\w+)\}\}")
_PARSED = "{{parsed message}}"
_COLUMN = re.compile(r"^    (\w+)\s+(\S.*?)\s+COMMENT", re.MULTILINE)
_WIDTH = 120
_INCLUDE = re.compile(r"\{\{include (\w+)((?: \w+=\S+?)*)\}\}")


def sql_files(folder: str) -> list[Path]:
    """The files of ``sql/<folder>`` and its folders, by name; raises ConfigError when the folder is not there."""
    directory = SQL / folder
    if not directory.is_dir():
        raise ConfigError(f"no SQL in {directory}: install the project from its checkout (pip install -e .)")
    return sorted(directory.rglob("*.sql"), key=lambda path: path.name)


def sql_text(path: Path) -> str:
    """The file's text with what it takes in from ``sql/includes``; raises ConfigError for an include that is not there.

    ``{{include NAME key=value ...}}`` becomes NAME.sql, in which ``{{key}}`` becomes its value.
    ``{{each archived NAME}}`` becomes NAME.sql once for every archived table whose rows are as most are, with its
    ``table``, its ``dataset`` and the condition ``shown`` of what readers see.
    ``{{parsed message}}`` reads each column of the stream's table from the JSON of ``message``, by name and type. Of a
    table with numbers that may not be NULL, ``stated`` says whether the message holds them all: one that is absent or
    no number is a reason to refuse the message, and not 0.
    Other placeholders stay, for ``render``. Migrations include nothing: their bytes are locked.
    """
    text = path.read_text()
    return _filled(text.replace(_PARSED, _parsed(text)) if _PARSED in text else text, f"{path.parent.name}/{path.name}")


def included(name: str, values: Mapping[str, str], source: str = "a statement") -> str:
    """``sql/includes/<name>.sql`` with these values; ``source`` names who includes it. Raises ConfigError."""
    path = SQL / "includes" / f"{name}.sql"
    if not path.is_file():
        raise ConfigError(f"{source} includes sql/includes/{name}.sql, which is not there")
    text = path.read_text().strip()
    for key, value in values.items():
        text = text.replace("{{" + key + "}}", value)
    return _filled(text, f"includes/{name}.sql")


def _parsed(text: str) -> str:
    """The columns of the stream's table, the first that ``text`` creates, as fields of the message."""
    columns = [*_COLUMN.findall(text.partition("ENGINE = ")[0]), ("received_ns", "Int64")]
    numbers = [name for name, kind in columns if kind == "Float64"]
    read = ", ".join(f"{name} {'Nullable(Float64)' if name in numbers else kind}" for name, kind in columns)
    names = [
        f"ifNull(fields.{name}, 0) AS {name}" if name in numbers else f"fields.{name} AS {name}" for name, _ in columns
    ]
    names += [" AND ".join(f"isNotNull(fields.{name})" for name in numbers) + " AS stated"] if numbers else []
    lines = [f"JSONExtract(message, 'Tuple({read})') AS fields"]
    for name in names:
        is_full = len(lines) == 1 or len(f"        {lines[-1]}, {name},") > _WIDTH
        lines += [name] if is_full else []
        lines[-1] += "" if is_full else f", {name}"
    return ",\n        ".join(lines)


def _filled(text: str, source: str) -> str:
    text = _EACH.sub(lambda found: _for_each(found[1], source), text)
    return _INCLUDE.sub(
        lambda found: included(found[1], dict(pair.split("=", 1) for pair in found[2].split()), source), text
    )


def _for_each(name: str, source: str) -> str:
    return "\n".join(
        included(
            name,
            {
                "table": table.name,
                "dataset": table.dataset,
                "shown": "NOT shadow" if table.has_shadows else "true",
            },
            source,
        )
        for kind in EVENT_KINDS
        for table in kind.tables
        if table.is_plain and table.dataset is not None
    )


def statements(text: str) -> list[str]:
    """The statements of ``text``, comments before them kept; a statement ends with a semicolon at a line's end."""
    parts = (part.strip() for part in _END.split(text))
    return [part for part in parts if _COMMENT_LINE.sub("", part).strip()]
