"""What is known of a day, from the warehouse alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mdplatform.core.settings import Settings
from mdplatform.read.cells import Cell, Coverage, Gap
from mdplatform.read.covered import coverage
from mdplatform.warehouse import queries, sizes
from mdplatform.warehouse.client import connect
from mdplatform.warehouse.sizes import Room

Row = Mapping[str, Any]
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Day:
    """``end``: a day after ``start``, or now while it is under way. The lists are rows of sql/queries/report."""

    start: datetime
    end: datetime
    made_at: datetime
    covered: Coverage
    lags: list[Row]
    letters: list[Row]
    drift: list[Row]
    costs: list[Row]
    tables: list[Row]
    rooms: list[Room]

    @property
    def hours(self) -> list[datetime]:
        """Those that have started."""
        count = -(-(self.end - self.start) // HOUR)
        return [self.start + n * HOUR for n in range(count)]

    @property
    def venues(self) -> list[str]:
        return sorted({cell.exchange for cell in self.covered.cells})

    def share(self, cells: Iterable[Cell]) -> float | None:
        """Of the time of these cells that is proven; None: nothing was to be judged."""
        known = [cell for cell in cells if cell.judged_s > 0]
        judged = sum(cell.judged_s for cell in known)
        return sum(cell.proven * cell.judged_s for cell in known) / judged if judged else None

    def by_venue(self, venue: str, hour: datetime | None = None) -> list[Cell]:
        """The cells of a venue, of one hour or all."""
        return [c for c in self.covered.cells if c.exchange == venue and hour in (None, c.start)]

    def worst_gaps(self, most: int) -> list[Gap]:
        """The longest gaps that no other collector prevented."""
        unprevented = [gap for gap in self.covered.gaps if not gap.prevented]
        return sorted(unprevented, key=self.seconds, reverse=True)[:most]

    def seconds(self, gap: Gap) -> float:
        """How much of the day a gap takes; nothing where only its begin is known."""
        if gap.ended_at is None:
            return 0.0
        return max(0.0, (min(gap.ended_at, self.end) - max(gap.started_at, self.start)).total_seconds())

    def cost(self, hour: datetime) -> dict[str, Row]:
        """By part, what the hour's last build cost."""
        return {row["part"]: row for row in self.costs if row["hour"] == hour}

    def headline(self) -> dict[str, str]:
        """What one looks for first."""
        proven = self.share(self.covered.cells)
        unprevented = [gap for gap in self.covered.gaps if not gap.prevented]
        built = {row["hour"] for row in self.costs}
        return {
            "proven": "nothing was collected" if proven is None else f"{100 * proven:.3f} %",
            "gaps": f"{len(unprevented):,}",
            "messages known to be missing": f"{sum(cell.missed for cell in self.covered.cells):,}",
            "rows": f"{sum(cell.rows for cell in self.covered.cells):,}",
            "dead letters": f"{sum(row['letters'] for row in self.letters):,}",
            "signs of drift": f"{len(self.drift):,}",
            "hours built": f"{len(built)} of {len(self.hours)}",
            "seconds to build them": f"{sum(row['seconds'] for row in self.costs):,.1f}",
        }


def gather(settings: Settings, start: datetime, now: datetime) -> Day:
    """The day that begins at ``start`` (UTC). Raises ConfigError, WarehouseError."""
    end = min(start + timedelta(days=1), now)
    span = {"start": start, "end": end}
    covered = coverage(start=start, end=end, settings=settings)
    with connect(settings) as client:
        return Day(
            start,
            end,
            now,
            covered,
            lags=list(queries.run(client, "day_lag", **span)),
            letters=list(queries.run(client, "day_letters", **span)),
            drift=list(queries.run(client, "day_drift", **span)),
            costs=list(queries.run(client, "day_costs", **span)),
            tables=[row for row in sizes.tables(client) if row["rows"]],
            rooms=sizes.rooms(client, settings.local_archive(), now),
        )
