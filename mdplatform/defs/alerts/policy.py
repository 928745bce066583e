"""What is wrong, said once: which causes are new, which are over, and how they are told. Pure, without Dagster."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

MOST_POSTS = 3  # a look that finds more new causes tells them in one summary
SHOWN = 10  # causes that a summary names
MOST_OPEN = 2000  # remembered; beyond them the oldest are forgotten, and told anew if they are seen again


@dataclass(frozen=True)
class Sign:
    """What was seen of a cause: that it is so (``text`` says what), or that it is over (``text`` None)."""

    cause: str  # e.g. check/spread_hourly/book_is_not_crossed/2026-11-21-08:00
    text: str | None
    next_step: str = ""


@dataclass(frozen=True)
class Outcome:
    """``open``: causes that are known now. ``new``: those of them that have not been told."""

    open: tuple[str, ...]
    new: tuple[Sign, ...] = field(default=())
    over: tuple[str, ...] = field(default=())


def settle(known: Iterable[str], signs: Iterable[Sign]) -> Outcome:
    """The causes after ``signs``, in the order in which they were seen; of one cause the last sign counts."""
    before = list(known)
    last: dict[str, Sign] = {sign.cause: sign for sign in signs}
    over = {cause for cause, sign in last.items() if sign.text is None}
    new = [sign for cause, sign in last.items() if sign.text is not None and cause not in before]
    still = [cause for cause in before if cause not in over]
    opened = [*still, *(sign.cause for sign in new)][-MOST_OPEN:]
    return Outcome(tuple(opened), tuple(new), tuple(cause for cause in before if cause in over))


def posts(new: Sequence[Sign]) -> list[Sequence[Sign]]:
    """What is told together: one cause a post, or all in one where they are many."""
    return [[sign] for sign in new] if len(new) <= MOST_POSTS else [new]


def message(signs: Sequence[Sign]) -> dict[str, object]:
    """The JSON object to post. ``text`` is what chat programs show."""
    if len(signs) == 1:
        text = f"{signs[0].text}\n{signs[0].next_step}".strip()
    else:
        more = [f"- and {len(signs) - SHOWN} more"] if len(signs) > SHOWN else []
        text = "\n".join([f"{len(signs)} things are wrong:", *(f"- {sign.text}" for sign in signs[:SHOWN]), *more])
    causes = [{"cause": sign.cause, "text": sign.text, "next_step": sign.next_step} for sign in signs[:SHOWN]]
    return {"text": text, "count": len(signs), "causes": causes}
