"""What of a venue's instrument lists is published, however often they are asked for."""

from __future__ import annotations

from mdplatform.core.clock import SECOND
from mdplatform.core.instrument_list import InstrumentList
from mdplatform.core.symbols import Instrument

# Lists are asked for every hour, and more often where something is missing. Some seconds less than that hour: what is
# published whole must not slip to every second time.
WHOLE_EVERY_NS = 3570 * SECOND


class Listings:
    """Everything at first and every hour, in between what has changed. One venue."""

    def __init__(self) -> None:
        self._stated: dict[tuple[str | None, str], Instrument] = {}
        self._refused: set[int] = set()  # hashes: the rows of a list that is broken may be many MB
        self._whole_ns: int | None = None  # when everything was published last

    def changed(self, answer: InstrumentList, now_ns: int) -> InstrumentList:
        """What of this answer is to be published now."""
        if self._whole_ns is None or now_ns - self._whole_ns >= WHOLE_EVERY_NS:
            self._whole_ns = now_ns
            self._stated.clear()
            self._refused.clear()
        rows = [row for row in answer.instruments if self._stated.get((row.category, row.venue_symbol)) != row]
        self._stated |= {(row.category, row.venue_symbol): row for row in rows}
        refused = [row for row in answer.refused if hash(row) not in self._refused]
        self._refused.update(map(hash, refused))
        return InstrumentList(rows, refused)
