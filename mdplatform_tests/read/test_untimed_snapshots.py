"""A snapshot for which the venue states no time has that of its receipt: what follows it may be stamped earlier."""

import pyarrow as pa
import pytest

from mdplatform.read.changes import Change, RunningBook
from mdplatform.read.instant import book_of

RECEIVED = 1_000_000_000_000


def changes(snapshot_ns: int) -> list[Change]:
    """A snapshot with that venue time, and an update that the venue made 40 ms before our receipt of the snapshot."""
    snapshot = Change("snapshot", [1.0], [1.0], [2.0, 3.0], [1.0, 1.0], None, 10, None, snapshot_ns, RECEIVED)
    update = Change("update", [], [], [2.0], [0.0], None, 11, 10, RECEIVED - 40_000_000, RECEIVED + 9_000_000)
    return [snapshot, update]


@pytest.mark.parametrize(
    ("snapshot_ns", "best"),
    [
        (RECEIVED, 3.0),  # no time of its own
        (RECEIVED - 50_000_000, 3.0),
        (RECEIVED - 30_000_000, 2.0),  # the update is of before: the venue numbers from the start again
    ],
)
def test_an_update_made_before_the_receipt_of_its_snapshot_counts(snapshot_ns: int, best: float) -> None:
    rows, running = changes(snapshot_ns), RunningBook()
    for row in rows:
        running.take(row)
    table = pa.Table.from_pylist([row._asdict() for row in rows])
    found = book_of(table, RECEIVED + 10_000_000, 1)
    assert found is not None
    assert (running.top(1)[1], found.asks) == ([(best, 1.0)], [(best, 1.0)])
