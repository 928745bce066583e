"""What coverage says of a feed: a cell for each hour or day of it, and its gaps one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from mdplatform.core.event_kinds import EVENT_KINDS
from mdplatform.core.optional import needed
from mdplatform.history.layout import published

if TYPE_CHECKING:
    import pandas as pd

    from mdplatform.read.loadable import Loadable

By = Literal["hour", "day"]
Feed = tuple[str, str, str]  # exchange, symbol, channel
# Intervals of a feed that was just subscribed to are no gaps.
JOINING = ("subscribing", "no_snapshot")
# The channels that bring a dataset.
CHANNELS = {str(table.dataset): kind.channels for kind in EVENT_KINDS for table in kind.tables if kind.channels}
# And of a channel the datasets whose rows count as its own: not those that are made of the same updates.
_MADE_OF_BOOKS = ("top_of_book", "increments")
COUNTED: dict[str, list[str]] = {}
for _dataset, _channels in CHANNELS.items():
    if _dataset not in _MADE_OF_BOOKS:
        COUNTED.setdefault(_channels[0], []).append(_dataset)


@dataclass(frozen=True)
class Cell:
    """An hour or a day of a feed. ``proven``: the share of its ``judged_s`` seconds that some collector proved.

    A gap counts where it begins, if no collector proved the feed meanwhile, otherwise as ``prevented``; ``missed``: the
    messages that the venue's own numbers show to be missing; ``refilled``: trades that a REST answer brought later.
    """

    start: datetime
    exchange: str
    symbol: str
    channel: str
    proven: float
    judged_s: float
    gaps: int
    prevented: int
    missed: int
    refilled: int
    rows: int
    causes: str  # of the gaps, as "state (cause)", joined by ", "

    @property
    def feed(self) -> Feed:
        return self.exchange, self.symbol, self.channel

    @property
    def per_million(self) -> float:
        """Missing messages per million."""
        return 1e6 * self.missed / (self.missed + self.rows) if self.missed else 0.0


@dataclass(frozen=True)
class Gap:
    """An interval in which one collector did not prove a feed; ``ended_at`` None: only its begin is known."""

    exchange: str
    symbol: str
    channel: str
    collector: str
    state: str
    cause: str
    started_at: datetime
    ended_at: datetime | None
    missed: int | None
    prevented: bool  # another collector proved the feed all the while

    @property
    def feed(self) -> Feed:
        return self.exchange, self.symbol, self.channel

    @property
    def is_in_public_archive(self) -> bool:
        """Whether the venue publishes what is missing: the job ``load_history`` fetches it."""
        return self.channel == "trades" and bool(published(self.exchange, self.symbol, None))


@dataclass(frozen=True)
class Coverage:
    """Of [start, end), in order of time and feed. ``gaps`` holds each one, those prevented too."""

    start: datetime
    end: datetime
    by: By
    cells: list[Cell]
    gaps: list[Gap]
    loadable: list[Loadable] = field(default_factory=list)  # what of the unproven time venues publish

    def totals(self) -> list[Cell]:
        """One cell a feed, for the whole range."""
        return joined(self.cells, lambda cell: self.start)

    def frame(self) -> pd.DataFrame:
        """One row a cell, with ``per_million``."""
        rows = [{**asdict(cell), "per_million": cell.per_million} for cell in self.cells]
        return needed("pandas").DataFrame(rows, columns=[*(field.name for field in fields(Cell)), "per_million"])


def joined(cells: Iterable[Cell], start_of: Callable[[Cell], datetime]) -> list[Cell]:
    """Cells of one feed and one start as one: shares weighted with the judged time."""
    together: dict[tuple[datetime, Feed], list[Cell]] = {}
    for cell in cells:
        together.setdefault((start_of(cell), cell.feed), []).append(cell)
    return [_sum(start, feed, together[start, feed]) for start, feed in sorted(together)]


def _sum(start: datetime, feed: Feed, cells: Sequence[Cell]) -> Cell:
    judged = sum(cell.judged_s for cell in cells)
    causes = {cause for cell in cells for cause in cell.causes.split(", ") if cause}
    return Cell(
        start,
        *feed,
        proven=sum(cell.proven * cell.judged_s for cell in cells) / judged,
        judged_s=judged,
        gaps=sum(cell.gaps for cell in cells),
        prevented=sum(cell.prevented for cell in cells),
        missed=sum(cell.missed for cell in cells),
        refilled=sum(cell.refilled for cell in cells),
        rows=sum(cell.rows for cell in cells),
        causes=", ".join(sorted(causes)),
    )
