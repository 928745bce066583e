"""What must be true of an hour: each claim's query returns the rows that contradict it."""

from dataclasses import dataclass

import dagster as dg


@dataclass(frozen=True)
class Claim:
    """``name`` is also its query's. A blocking one that fails keeps the hour out of the archive."""

    name: str
    meaning: str
    next_step: str
    severity: dg.AssetCheckSeverity
    blocking: bool


CLAIMS = (
    Claim(
        "book_is_not_crossed",
        "The best bid of every book is below its best ask.",
        "A crossed book was rebuilt wrongly: compare its sequence with md_feed_status and the raw frames of that time, "
        "mend the cause, collect the symbol anew and build the hour again.",
        dg.AssetCheckSeverity.ERROR,
        blocking=True,
    ),
    Claim(
        "prices_are_positive",
        "Every price and size of books and trades is a number above zero.",
        "No venue sends such a level: find the message by its offset, and add its frame to the venue's golden frames.",
        dg.AssetCheckSeverity.ERROR,
        blocking=True,
    ),
    Claim(
        "sequence_has_no_gap",
        "Every book follows the one before it, or md_feed_status says why not.",
        "Updates are missing that nobody noticed: look for lost messages between collector and table (lag, dead "
        "letters, retention) around these offsets.",
        # Aggregates count proven time only, and the rows that are there are right: the hour may be archived.
        dg.AssetCheckSeverity.WARN,
        blocking=False,
    ),
)
