"""What the endpoint must know of a statement before the engine runs it: kind, format, and where its data begins."""

import re
from dataclasses import dataclass
from itertools import pairwise

from mdplatform.embedded.clickhouse.errors import NOT_IMPLEMENTED, SYNTAX_ERROR, Refusal
from mdplatform.embedded.clickhouse.lexer import Token, adjacent, tokens

SELECTING = frozenset({b"SELECT", b"WITH", b"FROM", b"("})
ANSWERING = SELECTING | {b"SHOW", b"DESCRIBE", b"DESC", b"EXISTS", b"EXPLAIN", b"CHECK", b"KILL", b"BACKUP", b"RESTORE"}
SETTING = frozenset({b"SET", b"USE"})
READING = SELECTING | SETTING | {b"SHOW", b"DESCRIBE", b"DESC", b"EXISTS", b"EXPLAIN"}
# A LIMIT behind one of these may be that of the last SELECT alone.
SEVERAL = frozenset({b"UNION", b"INTERSECT", b"EXCEPT"})
# What may follow LIMIT where it holds for the whole answer: a number or a parameter, and the format.
LIMITED = re.compile(rb"\s*+(?:(?P<rows>\d++)|\{(?P<parameter>\w++):\w++\})\s*+(?:FORMAT\s++\w++\s*+)?", re.IGNORECASE)
BLANK = b" \t\f"
MOST_SQL_BYTES = 1 << 20  # the engine's own limit is 256 KiB where nobody raises it


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. `sql` of an INSERT with data ends before its SETTINGS, FORMAT or VALUES."""

    sql: bytes
    verb: bytes  # its first word in upper case, b"(" for a bracketed SELECT, b"" if there is nothing
    format: str | None = None  # the FORMAT written in it
    settings: bytes = b""  # of an INSERT with data: its SETTINGS clause
    data_at: int | None = None  # of an INSERT with data: where the data begins in what was parsed
    limit: str | None = None  # the rows of its answer are at most so many: a number, or a parameter's name

    @property
    def selects(self) -> bool:
        return self.verb in SELECTING

    @property
    def answers(self) -> bool:
        """Whether it has a result set (clickhouse-connect decides by the header that says so)."""
        return self.verb in ANSWERING

    @property
    def only_reads(self) -> bool:
        return self.verb in READING

    @property
    def sets(self) -> bool:
        """Whether it changes what later statements of its session mean."""
        return self.verb in SETTING


def parse(sql: bytes) -> Statement:
    """Inspect one statement; `sql` of an INSERT may carry its data. Raises Refusal (62, 48).

    Takes time in proportion to the text, of which data is no part.
    """
    found: list[Token] = []
    insert: _Insert | None = None
    for token in tokens(sql, MOST_SQL_BYTES):
        found.append(token)
        if insert is None and token.text == b"INTO":
            insert = _insert_of(found)
        if insert is not None and (complete := insert.with_data(sql, found)):
            return complete
    if len(sql) > MOST_SQL_BYTES:
        raise Refusal(SYNTAX_ERROR, f"Max query size exceeded: a statement has at most {MOST_SQL_BYTES} bytes")
    return _without_data(sql, found, insert is not None)


def _insert_of(found: list[Token]) -> "_Insert | None":
    """Of a statement read up to INTO: the INSERT, which may stand behind WITH ..."""
    at = len(found) - 2
    inserts = at >= 0 and found[at].text == b"INSERT" and found[at].kind == "word" and found[at].depth == 0
    return _Insert() if inserts and (at == 0 or found[0].text == b"WITH") else None


@dataclass(slots=True)
class _Insert:
    """An INSERT whose tokens are looked at one by one, until its data begins."""

    selects: bool = False  # INSERT ... SELECT has no data of its own; a FORMAT in it belongs to nobody
    settings: Token | None = None

    def with_data(self, sql: bytes, found: list[Token]) -> Statement | None:
        """The INSERT, once its tokens reach FORMAT <name> or VALUES; None while they have not."""
        token, before = found[-1], found[-2]
        if token.depth or token.kind != "word" or self.selects:
            return None
        if token.text == b"VALUES" and before.text != b"FORMAT":
            name, clause, data_at = "Values", token, token.end
        elif before.text == b"FORMAT" and before.depth == 0 and adjacent(sql, before, token):
            name, clause, data_at = sql[token.start : token.end].decode(), before, _data_after_format(sql, token.end)
        else:
            self.selects = token.text in (b"SELECT", b"WITH")
            if self.settings is None and token.text == b"SETTINGS":
                self.settings = token
            return None
        if _mentions(sql, found, b"FROM", b"INFILE"):
            raise Refusal(NOT_IMPLEMENTED, "FROM INFILE reads the client's files: send the data with the statement")
        settings = self.settings or clause
        return Statement(sql[: settings.start], b"INSERT", name, sql[settings.start : clause.start], data_at)


def _data_after_format(sql: bytes, at: int) -> int:
    """The engine's rule: blanks after the format's name, then one line break, are not data."""
    while sql[at : at + 1] and sql[at : at + 1] in BLANK:
        at += 1
    at += sql[at : at + 1] == b"\r"
    return at + (sql[at : at + 1] == b"\n")


def _without_data(sql: bytes, found: list[Token], inserts: bool) -> Statement:
    for index, token in enumerate(found):
        if token.kind == "semicolon" and index + 1 < len(found) and found[index + 1].kind != "semicolon":
            raise Refusal(SYNTAX_ERROR, "Syntax error (Multi-statements are not allowed)")
    if _mentions(sql, found, b"INTO", b"OUTFILE") or _mentions(sql, found, b"FROM", b"INFILE"):
        raise Refusal(NOT_IMPLEMENTED, "INTO OUTFILE and FROM INFILE name files of the client, not of the server")
    end = len(sql)
    while found and found[-1].kind == "semicolon":
        end = found.pop().start
    if not found:
        return Statement(sql[:end], b"")
    verb = b"INSERT" if inserts else found[0].text
    return Statement(sql[:end], verb, _format_of(sql, found), limit=_limit_of(sql[:end], found))


def _limit_of(sql: bytes, found: list[Token]) -> str | None:
    outer = [token for token in found if token.kind == "word" and token.depth == 0]
    limits = [token for token in outer if token.text == b"LIMIT"]
    if not limits or any(token.text in SEVERAL for token in outer):
        return None
    stated = LIMITED.fullmatch(sql, limits[-1].end)
    return (stated["rows"] or stated["parameter"]).decode() if stated else None


def _format_of(sql: bytes, found: list[Token]) -> str | None:
    named = None
    for before, token in pairwise(found):
        if before.text == b"FORMAT" and _are_words(sql, before, token) and before.depth == 0:
            named = sql[token.start : token.end].decode()
    return named


def _mentions(sql: bytes, found: list[Token], first: bytes, second: bytes) -> bool:
    return any(a.text == first and b.text == second and _are_words(sql, a, b) for a, b in pairwise(found))


def _are_words(sql: bytes, first: Token, second: Token) -> bool:
    return first.kind == second.kind == "word" and adjacent(sql, first, second)
