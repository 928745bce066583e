"""ClickHouse SQL cut into the tokens that matter for routing a statement.

Works on bytes, because an INSERT carries binary data behind its text. Comments, white space, numbers, strings and
operators are passed over; what remains is words, names, brackets and semicolons.

Grammar: clickhouse.com/docs/sql-reference/syntax
"""

import re
import sys
from collections.abc import Iterator
from typing import NamedTuple

COMMENT = rb"--[^\n]*+|//[^\n]*+|\#[!\ ][^\n]*+|/\*(?s:.*?)(?:\*/|\Z)"
# `filler` swallows whole runs of what never decides anything, so that a list of a million values is one match.
PATTERN = re.compile(
    rb"""
      (?P<filler>(?:[\s,.+*=<>%|!?:0-9&^~@]++|-(?!-)|/(?![*/])|'(?:[^'\\]++|\\.|'')*+'?|"""
    + COMMENT
    + rb""")++)
    | (?P<word>[A-Za-z_][A-Za-z_0-9]*+)
    | (?P<name>`(?:[^`\\]++|\\.|``)*+`?|"(?:[^"\\]++|\\.|"")*+"?)
    | (?P<heredoc>\$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|\Z))
    | (?P<open>[(\[{])
    | (?P<close>[)\]}])
    | (?P<semicolon>;)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
NOTHING = re.compile(rb"(?:\s|" + COMMENT + rb")*+", re.VERBOSE)


class Token(NamedTuple):
    kind: str
    text: bytes  # words in upper case
    start: int
    end: int
    depth: int  # how many brackets are open around it


def tokens(sql: bytes, end: int = sys.maxsize) -> Iterator[Token]:
    """The tokens of `sql` before `end` in order, lazily: the caller stops where the data of an INSERT begins.

    Values and brackets only count as tokens at the beginning and behind a semicolon, where they decide something.
    """
    depth, decides = 0, True
    for match in PATTERN.finditer(sql, 0, end):
        kind = match.lastgroup or "other"
        if kind == "filler" and (not decides or NOTHING.fullmatch(match[0])):
            continue
        depth -= kind == "close"
        if decides or kind not in ("open", "close"):
            text = match[0].upper() if kind == "word" else match[0]
            yield Token(kind, text, match.start(), match.end(), depth)
            decides = kind == "semicolon"
        depth += kind == "open"


def adjacent(sql: bytes, first: Token, second: Token) -> bool:
    """Whether there is nothing between two tokens but blanks and comments."""
    return NOTHING.fullmatch(sql, first.end, second.start) is not None
