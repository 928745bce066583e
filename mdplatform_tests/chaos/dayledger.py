"""The dirty day's ledger: what was planted, what of it was found, what was missed, and what nobody planted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from mdplatform.clock import SECOND
from mdplatform.events import FeedStatus
from mdplatform_tests.chaos.plants import AFTER_S, GONE, START_S, Plant
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


def judged(
    plants: Sequence[Plant],
    said: Sequence[Said],
    letters: Sequence[Letter],
    emptied: Sequence[tuple[str, int]],
    attempts: Sequence[int],
    zero_ns: int,
    gone: frozenset[str],
    symbols: frozenset[str],
) -> dict[str, Entry]:
    """Entries by kind.

    ``attempts``: when connections were tried; ``gone``: symbols that need not be valid at the end; ``symbols``: all.
    """
    entries: dict[str, Entry] = {}
    troubles = intervals(said)
    explained: set[int] = set()
    explained_letters: set[int] = set()
    for plant in plants:
        entry = entries.setdefault(plant.kind, Entry())
        entry.planted += 1
        mine = [(i, one) for i, one in enumerate(troubles) if _concerns(plant, one, zero_ns)]
        shown = [one for _, one in mine if one.cause in plant.causes and _is_of(plant, one)]
        allowed = plant.causes | plant.follows
        explained.update(i for i, one in mine if one.cause in allowed and (plant.spreads or _is_of(plant, one)))
        then = [(i, one) for i, one in enumerate(letters) if _during(plant, one.received_ns, zero_ns)]
        noted = [i for i, one in then if plant.letters]
        explained_letters.update(noted, (i for i, one in then if one.reason in plant.reasons))
        if plant.quiet_until_s is not None:
            begun = zero_ns + (plant.at_s + 1) * SECOND
            early = [ns for ns in attempts if begun < ns < zero_ns + plant.quiet_until_s * SECOND - SECOND]
            if early:
                entry.remarks.append(f"{len(early)} attempts before Retry-After was over")
                continue
        lacking = symbols - {one.symbol for one in shown} - _absent(plants, plant.at_s)
        if plant.causes and shown and plant.on_all and lacking:
            entry.remarks.append(f"not at {', '.join(sorted(lacking)[:4])}")
        elif plant.causes and not shown:
            seen = Counter(one.cause for _, one in mine)
            entry.remarks.append(f"{plant.symbol or 'all'}: no {' or '.join(sorted(plant.causes))}; {dict(seen)}")
        elif plant.empties and not any(
            symbol == plant.symbol and _during(plant, ns, zero_ns) for symbol, ns in emptied
        ):
            entry.remarks.append(f"{plant.symbol}: no empty book")
        elif plant.letters and not noted:
            entry.remarks.append(f"{plant.symbol or 'all'}: no dead letter")
        else:
            entry.found += 1
    _enter_false(entries, [one for i, one in enumerate(troubles) if i not in explained], zero_ns)
    for i, letter in enumerate(letters):
        if i not in explained_letters and letter.reason != UNFAMILIAR:
            _false(entries, f"letter {letter.reason}", f"{letter.error[:80]} at {_at(letter.received_ns, zero_ns)}")
    for (symbol, channel), status in final_states(said).items():
        if status.state != "valid" and symbol not in gone:
            _false(entries, "not valid at the end", f"{symbol} {channel} {status.state} {status.cause}")
    return entries


def _enter_false(entries: dict[str, Entry], troubles: Iterable[Interval], zero_ns: int) -> None:
    for one in troubles:
        if (one.first_ns - zero_ns) / SECOND > START_S or one.cause != "subscribing":
            _false(entries, f"{one.state} {one.cause}", f"{one} at {_at(one.first_ns, zero_ns)}")


def _false(entries: dict[str, Entry], kind: str, remark: str) -> None:
    entry = entries.setdefault(kind, Entry())
    entry.false += 1
    entry.remarks.append(remark)


def _absent(plants: Sequence[Plant], at_s: float) -> set[str | None]:
    """The symbols that are not there at that time, so that nothing can happen to them."""
    return {one.symbol for one in plants if one.causes & GONE and one.at_s <= at_s <= one.at_s + one.lasts_s}


def _is_of(plant: Plant, one: Interval) -> bool:
    return plant.symbol in (None, one.symbol)


def _concerns(plant: Plant, one: Interval, zero_ns: int) -> bool:
    return (not plant.feeds or plant.spreads or one.channel in plant.feeds) and _during(plant, one.first_ns, zero_ns)


def _during(plant: Plant, ns: int, zero_ns: int) -> bool:
    return plant.at_s <= (ns - zero_ns) / SECOND <= plant.at_s + plant.lasts_s + AFTER_S


def _at(ns: int, zero_ns: int) -> str:
    return f"{(ns - zero_ns) / SECOND:.0f} s"


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
