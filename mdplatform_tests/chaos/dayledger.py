"""The dirty day's ledger: what was planted, what of it was found, what was missed, and what nobody planted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mdplatform.core.clock import SECOND
from mdplatform.core.events import FeedStatus
from mdplatform_tests.chaos.plants import AFTER_S, BEYOND, GONE, START_S, Plant
from mdplatform_tests.chaos.venueday import Letter, Said

FILLED = "_filled"  # what is added to a cause where REST brought what was missing
UNFAMILIAR = "unfamiliar_field"  # kept by the canary as an example; nothing was lost


@dataclass
class Entry:
    """One venue's line of one kind."""

    planted: int = 0
    found: int = 0
    false: int = 0
    remarks: list[str] = field(default_factory=list)

    @property
    def missed(self) -> int:
        return self.planted - self.found


@dataclass(frozen=True)
class Interval:
    """A trouble of a feed, however often it was stated."""

    symbol: str
    channel: str
    state: str
    cause: str
    first_ns: int  # when it was first stated

    def __str__(self) -> str:
        return f"{self.symbol} {self.channel} {self.state} {self.cause}"


def intervals(said: Iterable[Said]) -> list[Interval]:
    """All that are not ``valid``, each once, by when they were first stated."""
    first: dict[tuple[str, str, str, str, int], int] = {}
    for status, ns in said:
        if status.state != "valid" and status.cause != "stopped":
            key = status.symbol, status.channel, status.state, status.cause.removesuffix(FILLED), status.started_ns
            first.setdefault(key, ns)
    return [Interval(*key[:4], ns) for key, ns in first.items()]


def final_states(said: Iterable[Said]) -> dict[tuple[str, str], FeedStatus]:
    """The last status of each feed before the collector was stopped."""
    return {(one.symbol, one.channel): one for one, _ in said if one.cause != "stopped"}


@dataclass(frozen=True)
class Seen:
    """What is known of a venue's day. Times are ns since the epoch; the day began at ``zero_ns``."""

    zero_ns: int
    symbols: frozenset[str]  # that were collected
    gone: frozenset[str]  # those of them that need not be valid at the end
    said: Sequence[Said]
    letters: Sequence[Letter]
    emptied: Sequence[tuple[str, int]]  # symbol and time of books without levels
    attempts: Sequence[int]  # to connect
    books: Mapping[str, bool]  # whether the last one was the venue's, by symbol

    def seconds(self, ns: int) -> float:
        return (ns - self.zero_ns) / SECOND

    def during(self, plant: Plant, ns: int) -> bool:
        return plant.at_s <= self.seconds(ns) <= plant.at_s + plant.lasts_s + AFTER_S


def judged(plants: Sequence[Plant], seen: Seen) -> dict[str, Entry]:
    """Entries by kind: those planted, and those of what nobody planted."""
    entries: dict[str, Entry] = {}
    troubles = intervals(seen.said)
    explained: set[int] = set()
    explained_letters: set[int] = set()
    for plant in plants:
        entry = entries.setdefault(plant.kind, Entry())
        entry.planted += 1
        mine = [(i, one) for i, one in enumerate(troubles) if seen.during(plant, one.first_ns)]
        allowed = plant.causes | plant.follows
        explained.update(i for i, one in mine if one.cause in allowed and (plant.spreads or _is_of(plant, one)))
        then = [(i, one) for i, one in enumerate(seen.letters) if seen.during(plant, one.received_ns)]
        explained_letters.update(i for i, one in then if one.reason in plant.reasons or _shows(plant, one))
        remark = _missed(plant, [one for _, one in mine if _is_of(plant, one)], seen, _absent(plants, plant.at_s))
        if remark:
            entry.remarks.append(f"{plant.symbol or 'all'}: {remark}")
        else:
            entry.found += 1
    _enter_false(entries, [one for i, one in enumerate(troubles) if i not in explained], seen)
    for i, letter in enumerate(seen.letters):
        if i not in explained_letters and letter.reason != UNFAMILIAR:
            remark = f"{letter.error[:80]} at {seen.seconds(letter.received_ns):.0f} s"
            _false(entries, f"letter {letter.reason}", remark)
    return entries


def _missed(plant: Plant, troubles: Sequence[Interval], seen: Seen, absent: set[str]) -> str:
    """What is missing of a plant's outcome; empty where nothing is. ``troubles``: of its symbol, in its time."""
    of_feeds = [one for one in troubles if not plant.feeds or one.channel in plant.feeds]
    shown = {one.symbol for one in of_feeds if one.cause in plant.causes}
    if plant.causes and not shown:
        return f"no {' or '.join(sorted(plant.causes))}; {dict(Counter(one.cause for one in of_feeds))}"
    if plant.on_all and (lacking := seen.symbols - shown - absent):
        return f"not at {', '.join(sorted(lacking)[:4])}"
    if plant.quiet_until_s is not None:
        times = [seen.seconds(ns) for ns in seen.attempts]
        early = [at_s for at_s in times if plant.at_s + 1 < at_s < plant.quiet_until_s - 1]
        if early:
            return f"{len(early)} attempts before Retry-After was over"
    return _missed_beside(plant, of_feeds, seen)


def _missed_beside(plant: Plant, troubles: Sequence[Interval], seen: Seen) -> str:
    """The same of what is no interval."""
    if plant.letters is not None:
        letters = [one for one in seen.letters if seen.during(plant, one.received_ns) and _shows(plant, one)]
        return "" if letters or not plant.is_shown else "no dead letter"
    if plant.empties:
        is_empty = any(symbol == plant.symbol and seen.during(plant, ns) for symbol, ns in seen.emptied)
        return "" if is_empty or any(one.cause in BEYOND for one in troubles) else "no empty book"
    return ""


def _enter_false(entries: dict[str, Entry], troubles: Iterable[Interval], seen: Seen) -> None:
    for one in troubles:
        if seen.seconds(one.first_ns) > START_S or one.cause != "subscribing":
            _false(entries, f"{one.state} {one.cause}", f"{one} at {seen.seconds(one.first_ns):.0f} s")
    if seen.books:
        entries["the last book is the venue's"] = Entry(
            planted=len(seen.books),
            found=sum(seen.books.values()),
            remarks=[symbol for symbol, is_true in seen.books.items() if not is_true],
        )
    for (symbol, channel), status in final_states(seen.said).items():
        if status.state != "valid" and symbol not in seen.gone:
            _false(entries, "not valid at the end", f"{symbol} {channel} {status.state} {status.cause}")


def _false(entries: dict[str, Entry], kind: str, remark: str) -> None:
    entry = entries.setdefault(kind, Entry())
    entry.false += 1
    entry.remarks.append(remark)


def _absent(plants: Sequence[Plant], at_s: float) -> set[str]:
    """The symbols that are not there at that time, so that nothing can happen to them."""
    going = [one for one in plants if one.causes & GONE and one.at_s <= at_s <= one.at_s + one.lasts_s]
    return {one.symbol for one in going if one.symbol is not None}


def _is_of(plant: Plant, one: Interval) -> bool:
    return plant.symbol in (None, one.symbol)


def _shows(plant: Plant, letter: Letter) -> bool:
    return plant.letters is not None and plant.letters in letter.frame


def text(ledgers: dict[str, dict[str, Entry]], remarks: int = 3) -> str:
    """Aligned: a line for each venue and kind, and the sums."""
    rows = [("venue", "kind", "planted", "found", "missed", "false", "")]
    for venue, entries in ledgers.items():
        for kind, one in entries.items():
            more = f" (+{len(one.remarks) - remarks})" if len(one.remarks) > remarks else ""
            rows.append((venue, kind, *_counts(one), "; ".join(one.remarks[:remarks]) + more))
    for venue, entries in ledgers.items():
        total = Entry(*(sum(getattr(one, name) for one in entries.values()) for name in ("planted", "found", "false")))
        rows.append((venue, "all", *_counts(total), ""))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i < 2 else cell.rjust(width) if i < 6 else cell
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _counts(one: Entry) -> tuple[str, str, str, str]:
    return str(one.planted), str(one.found), str(one.missed), str(one.false)
