"""What the venues' REST interfaces share: answers, refusals, parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec


class Answer(NamedTuple):
    """An HTTP answer; the body is JSON."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class Refused(Exception):
    """A call that is answered with one of the venue's errors."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.answer = answer


def answer(value: Any, status: int = 200) -> Answer:
    return Answer(status, msgspec.json.encode(value))


def number(
    query: Mapping[str, str],
    name: str,
    default: int,
    most: int,
    refused: Callable[[str], Exception],
    *,
    digits: int = 19,
) -> int:
    """A parameter that is a number, cut off at ``most``; ``refused`` makes the venue's error of its name."""
    text = query.get(name) or str(default)
    if not text.isdecimal() or len(text) > digits:
        raise refused(name)
    return min(int(text), most)
