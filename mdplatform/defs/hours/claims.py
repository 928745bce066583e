"""What must be true of an hour: each claim's query returns the rows that contradict it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from mdplatform.venues import venue, venue_ids

ERROR, WARN = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN

# Venues whose trade ids, as published, are integers that count up by one for each symbol.
COUNTING_VENUES = ["binance", "coinbase", "kraken"]


def steady_channels() -> dict[str, float]:
    """Documented cadence in ms of the channels that keep one whether anything changes or not, by venue and kind."""
    return {
        f"{venue_id}/{channel.kind}": 1000 * channel.cadence_s
        for venue_id in venue_ids()
        for channel in venue(venue_id).channels
        if channel.is_steady and channel.cadence_s is not None and channel.name in venue(venue_id).default_channels
    }


STEADY = steady_channels()


@dataclass(frozen=True)
class Claim:
    """``name`` is also its query's. A blocking one that fails keeps the hour out of the archive."""

    name: str
    meaning: str
    next_step: str
    severity: dg.AssetCheckSeverity
    blocking: bool = False
    parameters: Mapping[str, Any] = field(default_factory=dict)  # of its query, beside hour and limit
    reasons: str = ""  # the query that says why, by exchange and symbol: asked where rows contradict the claim alone
    is_grave: Callable[[Mapping[str, Any]], bool] = lambda row: False  # rows that make a warning an error


CLAIMS = (
    Claim(
        "book_is_not_crossed",
        "The best bid of every book is below its best ask.",
        "A crossed book was rebuilt wrongly: compare its sequence with md_feed_status and the raw frames of that time, "
        "and fix the cause. `mdplatform correct` then removes the row from the tables, the built hour and its "
        "archive, and `--undo` puts it back.",
        ERROR,
        blocking=True,
    ),
    Claim(
        "prices_are_positive",
        "Every price and size of books and trades is a number above zero.",
        "No venue sends such a level: find the message by its offset, and add its frame to the venue's golden frames.",
        ERROR,
        blocking=True,
    ),
    Claim(
        "sequence_has_no_gap",
        "Every book follows the one before it, or md_feed_status says why not.",
        "Updates are missing that nobody noticed: look for lost messages between collector and table (lag, dead "
        "letters, retention) around these offsets.",
        # Aggregates count proven time only, and the rows that are there are right: the hour may be archived.
        WARN,
    ),
    Claim(
        "rows_are_unique",
        "A reader sees every update and every trade once.",
        "Sums over these rows count them twice. Find by their offsets who published or stored them again, delete the "
        "later ones from the table behind the view and build the hour again.",
        ERROR,
        blocking=True,
    ),
    Claim(
        "offsets_have_no_holes",
        "Every message between the first and the last of the hour was read, and its row is there.",
        "Never read: move the consumer group back to the first of these offsets while the topic keeps them, rows are "
        "not doubled by it. Row missing: somebody deleted it, read its message again the same way. Then build the "
        "hour again.",
        # What is there is right; where the topic has forgotten the messages, an archive of the rest is all there is.
        ERROR,
    ),
    Claim(
        "feeds_are_covered",
        "The book of every symbol that was wanted was proven valid for at least 95 % of the hour.",
        "The causes say why not. If it is the venue, there is nothing to do, and readers see it in the coverage; if it "
        "is a collector, look at its run; a second one (MDPLATFORM_COLLECTORS=2) keeps a feed whole meanwhile.",
        WARN,
        parameters={"wanted": [], "wanted_is_known": False},
        reasons="feed_causes",
        is_grave=lambda row: row["coverage"] == 0,
    ),
    Claim(
        "timestamps_are_sane",
        "Venue times are at most 5 s ahead of their receipt and a minute behind, and do not go back by a second.",
        "One row: the venue's own fault, leave it. Many: compare with the frame at that offset (a unit that changed?) "
        "and the collector's clock; fix the parser or the clock, and collect or replay the hour again.",
        WARN,
    ),
    Claim(
        "trade_ids_have_no_gap",
        "Where a venue numbers its trades one by one, none is missing, or md_feed_status says why.",
        "Trades are missing that nobody noticed: load these numbers from the venue's public archive or by REST, and "
        "look for lost messages between collector and table around these offsets.",
        WARN,
        parameters={"exchanges": COUNTING_VENUES},
    ),
    Claim(
        "trades_are_within_the_spread",
        "No trade is more than 50 bps outside of the best bid and ask in force.",
        "One trade: a large order in a thin book. Many: book and trades are not of one instrument, or one of the two "
        "lags behind: compare their venue times and the instrument's entry in md_instruments.",
        WARN,
    ),
    Claim(
        "venues_agree_on_price",
        "In no minute is a venue's mid more than 1 % away from the median of all venues with the symbol.",
        "Compare the instrument's entry in md_instruments (multiplier, settlement, alias) and the feed's state in "
        "md_feed_status: a mix-up of names, or a market that stood still.",
        WARN,
    ),
    Claim(
        "venues_do_as_documented",
        "Channels send as often as documented, hold no field that was never seen before, none stays silent, no limit "
        "is met, and at most 10 of a million frames find a gap.",
        "A venue has changed, or its documents are wrong: `mdplatform doctor --venues --live` looks at it now, the "
        "dead letters with the reason unfamiliar_field hold an example. Read its change log, then its parser and the "
        "facts of its channels.",
        WARN,
        parameters={"steady": list(STEADY), "cadences_ms": list(STEADY.values())},
    ),
)
