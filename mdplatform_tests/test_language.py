"""The glossary is kept: private words do not come back in prose, old names do not come back in code.

Prose is docstrings, comments, messages and help texts (by tokens, so that an identifier is no hit), the names of tests,
which are claims, the Markdown pages, and all of the live page's sources and of SQL but shipped migrations. Each hit is
printed as ``file:line: word -> plain word``.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROSE_TOKENS = {tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}

# What stood in our texts and made a native engineer stumble -> what an engineer of the field would write.
PLAIN_WORDS = {
    r"told|tell|tells|telling": "reported, stated, published, distinguished",
    r"anew": "again",
    r"begun": "started",
    r"spoken for": "subscribed",
    r"seldom": "with growing intervals",
    r"forced orders?": "liquidation",
    r"(?:a|one|each|every|the|no|last|latest|its|these|those|of|for) prints?": "trade",
    r"(?:was|were|is|last|as) heard|heard (?:of|from|within)|unheard": "received",
    r"who we are": "user name",
}
PRIVATE = {re.compile(rf"\b(?:{words})\b", re.IGNORECASE): plain for words, plain in PLAIN_WORDS.items()}

WHOLE = {".js", ".html", ".sql"}  # files of which every word is read

# Classes and functions that bore a name only their author knew -> the name that they have.
OLD_NAMES = {
    "Keeper": "ConnectionSupervisor",
    "Outlet": "EventPublisher",
    "Restart": "DowntimeTracker",
    "Heard": "StatusHistory",
    "Discreet": "RedactsFrames",
    "Ticketed": "NeedsTicket",
    "Recalling": "MatchesReplies",
    "Resuming": "ResumesTradeIds",
    "Placed": "HasSocketPath",
    "Placing": "RoutesBySocketPath",
    "Headed": "HasHeaders",
    "Paged": "PagedInstruments",
    "Keyed": "Authenticates",
    "Cooldown": "Deduplicator",
    "Episode": "Hysteresis",
    "VolumeRing": "VolumeWindow",
    "subscribable": "select_for_subscription",
    "said_when_long": "report_when_slow",
}


def test_prose_is_in_the_words_of_the_field() -> None:
    hits = [hit for path in _prose_files() for hit in _hits(path)]
    assert not hits, "\n" + "\n".join(hits)


def test_no_old_name_comes_back() -> None:
    defined = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.name} -> {OLD_NAMES[node.name]}"
        for path in sorted((ROOT / "mdplatform").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name in OLD_NAMES
    ]
    assert not defined, "\n" + "\n".join(defined)


@pytest.mark.parametrize(
    ("text", "is_hit"),
    [
        ('"""The session is told the time."""\n', True),
        ("x = 1  # begun anew\n", True),
        ('f"{x} of the last prints"\n', True),
        ("told = begun = prints = 1\n", False),
        ('row["prints"]\n', False),
        ('"it prints the rows"\n', False),
        ("def test_a_gap_is_told() -> None: ...\n", True),
        ("def is_told() -> None: ...\n", False),
    ],
)
def test_only_prose_is_looked_at(text: str, is_hit: bool, tmp_path: Path) -> None:
    source = tmp_path / "source.py"
    source.write_text(text)
    assert bool(list(_hits(source))) == is_hit


def _prose_files() -> list[Path]:
    python = [path for room in ("mdplatform", "mdplatform_tests", "benchmarks") for path in (ROOT / room).rglob("*.py")]
    page = [path for path in (ROOT / "mdplatform/dashboard/static").glob("*") if path.suffix in WHOLE]
    sql = [path for path in (ROOT / "sql").rglob("*.sql") if path.parent.name != "migrations"]
    pages = [*(ROOT / "docs").glob("*.md"), ROOT / "README.md"]
    return sorted(path for path in (*python, *page, *sql, *pages) if path != Path(__file__))


def _hits(path: Path) -> Iterator[str]:
    shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path.name
    for line, text in _prose(path):
        for words, plain in PRIVATE.items():
            for found in words.finditer(text):
                at = line + text.count("\n", 0, found.start())
                yield f"{shown}:{at}: {found[0]!r} -> {plain}"


def _prose(path: Path) -> Iterator[tuple[int, str]]:
    """(line, text) of what people read: all of a page; of a module comments, texts of several words, names of tests."""
    source = path.read_text()
    if path.suffix in WHOLE:
        yield 1, source
        return
    if path.suffix == ".md":
        yield 1, re.sub(r"```.*?```", lambda code: "\n" * code[0].count("\n"), source, flags=re.DOTALL)
        return
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in PROSE_TOKENS and " " in token.string:
            yield token.start[0], token.string
        elif token.type == tokenize.NAME and token.string.startswith("test_"):
            yield token.start[0], token.string.replace("_", " ")
