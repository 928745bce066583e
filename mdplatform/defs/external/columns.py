"""From which field of which message each column of a stream table comes: lineage that the UI shows."""

from __future__ import annotations

from collections.abc import Iterable

import dagster as dg

from mdplatform.core.event_kinds import EventKind, Table

# What messages call the time by which hours are counted, and where another field holds it.
_TIMES = {"books": "timestamp", "increments": "timestamp", "stats": "ts", "dead_letters": "received_ns"}
_TS = "ts"
# Columns that are made of others: of the second table of books, and of messages that a table takes whole.
_BEST = {"bid_price": ("b",), "bid_size": ("bv",), "ask_price": ("a",), "ask_size": ("av",)}
_MADE = {
    **_BEST,
    **{name: ("b", "a") for name in ("mid", "spread", "spread_bps")},
    "imbalance": ("bv", "av"),
}


# Columns whose field is called otherwise.
_RENAMED = {"next_funding_at": "next_funding_ts", "next_funding_time": "next_funding_ts", "option_kind": "right"}
# What the view of quotes makes of the fields of a message.
_MEASURES = dict.fromkeys(("mid", "spread", "spread_bps"), ("bid_price", "ask_price"))
_MEASURES["imbalance"] = ("bid_size", "ask_size")
_RENAMED |= dict.fromkeys(("first_seen_at", "last_seen_at", "valid_from", "valid_to"), "received_ns")


def message_fields(kind: EventKind) -> dict[str, str]:
    """The fields of a kind's messages with what they hold, in order; empty where its messages are made of no event."""
    fields: dict[str, str] = {
        column.field if column.kind == "time" else column.name: column.kind for column in kind.columns
    }
    if "next_funding_ns" in fields:  # the one time that messages state in ms alone
        fields["next_funding_ts"] = fields.pop("next_funding_ns")
    if fields and "symbol" in fields and "venue_ns" in fields:
        fields[time_field(kind)] = "time in ms"
    return fields


def time_field(kind: EventKind) -> str:
    return _TIMES.get(kind.name, _TS)


def message_schema(kind: EventKind) -> dg.TableSchema:
    """The fields as columns of the topic."""
    return dg.TableSchema([dg.TableColumn(name, what) for name, what in message_fields(kind).items()])


def column_lineage(
    kind: EventKind, table: Table, columns: Iterable[str], topic: dg.AssetKey, first: dg.AssetKey
) -> dg.TableColumnLineage:
    """Of the columns of a table: its kind's first table is made of messages, the second of the first."""
    is_first = table is kind.tables[0]
    found = {}
    for column in columns:
        names = _of_message(kind, column) if is_first else _MADE.get(column, (column,))
        if names and column != "inserted_at":
            found[column] = [dg.TableColumnDep(topic if is_first else first, name) for name in names]
    return dg.TableColumnLineage(found)


def _of_message(kind: EventKind, column: str) -> tuple[str, ...]:
    fields = message_fields(kind)
    if column in ("_topic", "_partition", "_offset") or column in fields:
        return (column,)
    if column == "timestamp":  # of an interval its begin
        return ("started_ns",) if "started_ns" in fields else (time_field(kind),)
    if column == "provenance":
        return ()  # a message that does not state it says nothing of where it comes from
    if column in _RENAMED or column in _MEASURES:
        return _MEASURES.get(column, (_RENAMED.get(column, column),))
    for ending in ("_time", "_at"):
        if column.endswith(ending) and (name := f"{column.removesuffix(ending)}_ns") in fields:
            return (name,)
    return (column,)
