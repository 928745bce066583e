"""The book of one instant from the rows of its changes, all at once: by the rules of md_book_at and of RunningBook."""

from __future__ import annotations

from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from mdplatform.read.changes import OVERLAP_NS, Level, follows_from_ns


class Instant(NamedTuple):
    """What is known; levels best first. ``received_ns``: when the last change of it was received first."""

    bids: list[Level]
    asks: list[Level]
    sequence: int
    venue_ns: int
    received_ns: int
    is_chained: bool  # each update follows one that is here


def book_of(changes: pa.Table, at_ns: int, depth: int) -> Instant | None:
    """None without a snapshot received by then. ``changes``: columns of Change, in any order; equal rows do no harm."""
    changes = changes.filter(pc.field("received_ns") <= at_ns)
    start = _last_snapshot(changes)
    if start is None:
        return None
    sequence, venue_ns, received_ns = start
    is_snapshot = pc.field("kind") == "snapshot"
    is_start = is_snapshot & (pc.field("sequence") == sequence) & (pc.field("received_ns") == received_ns)
    follows = ~is_snapshot & (pc.field("sequence") > sequence)
    follows &= pc.field("venue_ns") >= follows_from_ns(venue_ns, received_ns)
    follows &= pc.field("received_ns") >= received_ns - OVERLAP_NS
    applied = changes.filter(is_start | follows).sort_by("sequence")
    updates = applied.group_by("sequence", use_threads=False).aggregate([("received_ns", "min"), ("venue_ns", "first")])
    known = updates["sequence"]  # in no order
    last = pc.index(known, pc.max(known)).as_py()
    before = applied["previous_sequence"].filter(pc.equal(applied["kind"], "update")).drop_null()
    return Instant(
        _best(applied["b"], applied["bv"], depth, "descending"),
        _best(applied["a"], applied["av"], depth, "ascending"),
        known[last].as_py(),
        updates["venue_ns_first"][last].as_py(),
        pc.max(updates["received_ns_min"]).as_py(),
        pc.all(pc.is_in(before, value_set=known), min_count=0).as_py(),
    )


def _last_snapshot(changes: pa.Table) -> tuple[int, int, int] | None:
    """(sequence, venue time, first receipt); of snapshots of one update the first stands for all."""
    found = changes.filter(pc.field("kind") == "snapshot").select(["sequence", "venue_ns", "received_ns"])
    if not found.num_rows:
        return None
    first = found.group_by(["sequence", "venue_ns"]).aggregate([("received_ns", "min")])
    last = first.sort_by([("received_ns_min", "descending")]).slice(0, 1).to_pylist()[0]
    return last["sequence"], last["venue_ns"], last["received_ns_min"]


def _best(prices: pa.ChunkedArray, sizes: pa.ChunkedArray, depth: int, order: str) -> list[Level]:
    """Of each price the size stated last."""
    stated = pa.table({"price": pc.list_flatten(prices), "size": pc.list_flatten(sizes)})
    last = stated.group_by("price", use_threads=False).aggregate([("size", "last")])
    best = last.filter(pc.field("size_last") > 0).sort_by([("price", order)]).slice(0, depth)
    return list(zip(best["price"].to_pylist(), best["size_last"].to_pylist(), strict=True))
