"""What may leave the warehouse by age: the names of the settings MDPLATFORM_RETENTION_*, and the tables behind them."""

from __future__ import annotations

from mdplatform.core.event_kinds import EVENT_KINDS

# Of the archive: rows leave only once their hour's archive is proven.
ARCHIVED = (*(table.dataset for kind in EVENT_KINDS for table in kind.tables if table.dataset), "spreads")
# Never archived: rows leave by their age alone.
INTERNAL = {
    "minutes": ("md_trades_minute_store", "md_top_of_book_minute_store"),
    "stats": ("md_feed_stats_store",),
    "dead_letters": ("md_dead_letter_store",),
    "signals": ("md_signals_store",),
    "messages": ("md_messages_store",),
}
RAW = "raw"  # frames as received, in topics
_MEANINGS = {
    "minutes": "days that bars by the minute are kept in ClickHouse",
    "stats": "days that statistics of collectors are kept in ClickHouse",
    "dead_letters": "days that refused frames are kept in ClickHouse",
    "signals": "days that signals are kept in ClickHouse",
    "messages": "days that the offsets of stored messages are kept in ClickHouse, at most 14",
    RAW: "days that raw frames are kept in topics created, as far as MDPLATFORM_KAFKA_RETENTION_BYTES allows; "
    "MDPLATFORM_KAFKA_RETENTION_MS when empty",
}


def variable(name: str) -> str:
    return f"MDPLATFORM_RETENTION_{name.upper()}"


def meanings() -> dict[str, str]:
    """By name, what the setting means. Empty, 0: forever."""
    archived = {
        name: f"days that rows of {name} stay in ClickHouse; they leave it once their hours' archive is "
        "proven; forever when empty"
        for name in ARCHIVED
    }
    return archived | {name: text if name == RAW else f"{text}; forever when empty" for name, text in _MEANINGS.items()}
