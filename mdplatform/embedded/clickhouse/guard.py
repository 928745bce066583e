"""What a statement may not hold: reading and writing outside of the database, and a second statement beside it.

The engine decides by grants, but not about everything: the scalar function `file` needs none, and what stands behind
PARALLEL WITH runs as the engine itself (upstream #119848). Texts are cut here as strictly as the engine cuts them; one
that is not understood to its last byte may be anything, so a reader's is refused.

Probed on 26.1.2.1: // begins a comment, comments nest, typographic quotes and blanks count, names have escapes.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from mdplatform.embedded.clickhouse.errors import ACCESS_DENIED, NOT_IMPLEMENTED, SYNTAX_ERROR, Refusal

# Table functions that read nothing but their arguments and tables, whose grants the engine checks.
INSIDE = frozenset(
    {"numbers", "numbers_mt", "zeros", "zeros_mt", "generateseries", "generate_series", "generaterandom", "values"}
    | {"null", "view", "viewexplain", "viewifpermitted", "merge", "format", "loop"}
)
# Functions that read files of the host or run code from them. As a bare name too: `* APPLY file` calls it.
NEVER = frozenset({b"file", b"catboostevaluate"})
# Of these functions FROM is a part; elsewhere a string behind FROM is a file's name.
WITH_FROM = frozenset({b"trim", b"ltrim", b"rtrim", b"extract", b"substring", b"overlay", b"position"})
OPENS_TABLES = frozenset({b"from", b"join"})
BEFORE_TABLE = OPENS_TABLES | {b"table", b"describe", b"desc"}
CLOSES_TABLES = frozenset(
    {b"where", b"prewhere", b"group", b"order", b"limit", b"settings", b"format", b"having", b"window", b"qualify"}
    | {b"union", b"except", b"intersect", b"select", b"like", b"ilike", b"array", b"sample"}
)

# One match is one token or the blank between two; nothing matches what the engine might read in another way.
TOKEN = re.compile(
    rb"""
      (?P<blank>[ \t\n\r\f\v]++|--[^\n]*+|//[^\n]*+|\#[!\ ][^\n]*+|/\*(?:[^*/]++|\*(?!/)|/(?!\*))*+\*/)
    | (?P<word>[A-Za-z_][A-Za-z_0-9$]*+)
    | (?P<number>[0-9])
    | (?P<string>'(?:[^'\\]++|\\.|'')*+'|\$(?P<tag>\w*+)\$.*?\$(?P=tag)\$)
    | (?P<name>`(?:[^`\\]++|\\[\\`"']|``)*+`|"(?:[^"\\]++|\\[\\`"']|"")*+")
    | (?P<open>[(\[{])
    | (?P<close>[)\]}])
    | (?P<comma>,)
    | (?P<sign>[;.+\-*%=<>!|?:&^~@]|/(?!\*))
    """,
    re.VERBOSE | re.DOTALL,
)
PARALLEL = re.compile(rb"\bPARALLEL\b", re.IGNORECASE)


class Piece(NamedTuple):
    kind: str
    text: bytes  # words and names in lower case, names without their quotes


def forbid_second_statement(sql: bytes) -> None:
    """Refuse PARALLEL WITH, whoever asks. Raises Refusal (48)."""
    if PARALLEL.search(sql) is None:
        return
    before = b""
    try:
        for piece in pieces(sql):
            if before == b"parallel" and piece == ("word", b"with"):
                raise Refusal(NOT_IMPLEMENTED, "PARALLEL WITH is not served: send one statement after the other")
            before = piece.text if piece.kind == "word" else b""
    except NotUnderstood as error:
        raise Refusal(NOT_IMPLEMENTED, f"PARALLEL in a statement that is not understood here: {error}") from None


def forbid_outside(who: str, sql: bytes, outside: frozenset[str]) -> None:
    """Refuse what `who`, a reader, would reach outside of the database with. Raises Refusal (497, 62).

    `outside` are the engine's table functions (lower case) that are not `INSIDE`.
    """
    try:
        _walk(who, sql, frozenset(name.encode() for name in outside))
    except NotUnderstood as error:
        raise Refusal(SYNTAX_ERROR, f"{who}: a statement that is not understood is refused: {error}") from None


def _walk(who: str, sql: bytes, outside: frozenset[bytes]) -> None:
    before = Piece("", b"")
    # For each open bracket: the word in front of it, and whether tables are being named inside.
    callers, naming = [b""], [False]
    for piece in pieces(sql):
        if piece.kind in ("word", "name") and piece.text in NEVER:
            raise Refusal(ACCESS_DENIED, f"{who}: {_shown(piece)} is refused: as a function it reads the host's files")
        if piece.kind == "open":
            if piece.text == b"(" and before.kind in ("word", "name") and before.text in outside:
                raise Refusal(ACCESS_DENIED, f"{who}: the table function {_shown(before)} is refused: it reads outside")
            callers.append(before.text)
            naming.append(False)
        elif piece.kind == "close" and len(callers) > 1:
            callers.pop()
            naming.pop()
        elif piece.kind == "word":
            if piece.text in CLOSES_TABLES:
                naming[-1] = False
            elif piece.text in OPENS_TABLES and callers[-1] not in WITH_FROM:
                naming[-1] = True
        elif piece.kind == "string" and _before_table(before, callers[-1], naming[-1]):
            raise Refusal(ACCESS_DENIED, f"{who}: a string as a table is refused: it names a file of the host")
        before = piece


def _before_table(before: Piece, caller: bytes, naming: bool) -> bool:
    if before.kind == "comma":
        return naming
    return before.kind == "word" and before.text in BEFORE_TABLE and caller not in WITH_FROM


def _shown(piece: Piece) -> str:
    return piece.text.decode(errors="replace")


class NotUnderstood(Exception):
    """The text cannot be cut into tokens; `str()` says where."""


def pieces(sql: bytes) -> Iterator[Piece]:
    """All of a statement's tokens. Raises NotUnderstood, on the way, where there is none."""
    at = 0
    while at < len(sql):
        match = TOKEN.match(sql, at)
        if match is None:
            raise NotUnderstood(f"byte {at}, {sql[at : at + 12]!r}")
        at = match.end()
        kind = match.lastgroup or ""
        if kind in ("string", "tag"):
            yield Piece("string", b"")
        elif kind == "name":
            yield Piece("name", _unquoted(match[0]).lower())
        elif kind != "blank":
            yield Piece(kind, match[0].lower())


def _unquoted(name: bytes) -> bytes:
    mark = name[:1]
    return re.sub(rb"\\(.)", rb"\1", name[1:-1].replace(mark * 2, mark))
