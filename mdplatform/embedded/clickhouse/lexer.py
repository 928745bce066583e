"""ClickHouse SQL cut into the tokens that matter for routing a statement.

Works on bytes, because an INSERT carries binary data behind its text. Comments, white space, numbers and operators are
passed over; what remains is words, literals, brackets and semicolons. Grammar: clickhouse.com/docs/sql-reference/syntax
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

# `filler` swallows runs of what never decides anything, so that a list of a million numbers is a few tokens only.
PATTERN = re.compile(
    rb"""
      (?P<comment>--[^\n]*+|\#[!\ ][^\n]*+|/\*.*?(?:\*/|\Z))
    | (?P<filler>(?:[\s,.+*=<>%|!?:0-9&^~@]++|-(?!-)|/(?!\*))++)
    | (?P<word>[A-Za-z_][A-Za-z_0-9]*+)
    | (?P<string>'(?:[^'\\]++|\\.|'')*+'?)
    | (?P<name>`(?:[^`\\]++|\\.|``)*+`?|"(?:[^"\\]++|\\.|"")*+"?)
    | (?P<heredoc>\$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|\Z))
    | (?P<open>[(\[{])
    | (?P<close>[)\]}])
    | (?P<semicolon>;)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    kind: str
    text: bytes  # words in upper case
    start: int
    end: int
    depth: int  # how many brackets are open around it


def tokens(sql: bytes) -> Iterator[Token]:
    """The tokens of `sql` in order, lazily: the caller stops where the data of an INSERT begins."""
    depth = 0
    for match in PATTERN.finditer(sql):
        kind = match.lastgroup or "other"
        if kind in ("comment", "filler"):
            continue
        if kind == "close":
            depth -= 1
        text = match[0].upper() if kind == "word" else match[0]
        yield Token(kind, text, match.start(), match.end(), depth)
        if kind == "open":
            depth += 1
