"""Files against what the warehouse says: the checksum is the same sum, worked out here number by number."""

from pathlib import Path

import pyarrow as pa
import pytest

from mdplatform.archive.checksum import checksum
from mdplatform.archive.compare import fingerprint, refuse_difference
from mdplatform.archive.datasets import DATASETS
from mdplatform.archive.publish import publish
from mdplatform.core.errors import ArchiveError
from mdplatform_tests.archive.reference import summed
from mdplatform_tests.archive.rows import BOOKS, ORIGIN, TRADES, books, trades

BOOK_ROWS, TRADE_ROWS = DATASETS["books"], DATASETS["trades"]


def books_with_empty_sides() -> pa.RecordBatch:
    rows = books(4)
    sides = pa.array([[], [61000.02], [], [3.0, 4.0]], pa.list_(pa.float64()))
    return rows.set_column(rows.schema.get_field_index("a"), rows.schema.field("a"), sides)


@pytest.mark.parametrize("rows", [books(4), books_with_empty_sides(), books(4).slice(1, 2), books(4).slice(0, 0)])
def test_books_are_summed_over_all_their_numbers(rows: pa.RecordBatch) -> None:
    assert checksum(rows, BOOK_ROWS) == summed(BOOK_ROWS, rows)


def test_trades_are_summed_by_the_crc_of_their_id() -> None:
    assert checksum(trades(5), TRADE_ROWS) == summed(TRADE_ROWS, trades(5))


@pytest.mark.parametrize("name", BOOK_ROWS.checked)
def test_a_change_in_any_checked_column_shows(name: str) -> None:
    rows = books(4)
    order = pa.array([1, 0, 2, 3])  # two rows swap what they have in this column
    at = rows.schema.get_field_index(name)
    swapped = rows.set_column(at, rows.schema.field(at), rows[name].take(order))
    assert (checksum(swapped, BOOK_ROWS) == checksum(rows, BOOK_ROWS)) == rows[name].take(order).equals(rows[name])


def test_files_that_agree_are_not_refused(tmp_path: Path) -> None:
    publish(tmp_path, BOOKS, [books()], ORIGIN)
    refuse_difference(tmp_path, BOOKS, fingerprint(tmp_path, BOOKS))


def test_an_empty_hour_agrees_with_no_rows(tmp_path: Path) -> None:
    publish(tmp_path, TRADES, [], ORIGIN)
    refuse_difference(tmp_path, TRADES, {"rows": 0, "min_sequence": 0, "max_sequence": 0, "checksum": 0})


@pytest.mark.parametrize("name", ["rows", "min_sequence", "max_sequence", "checksum"])
def test_each_difference_is_named(tmp_path: Path, name: str) -> None:
    publish(tmp_path, BOOKS, [books()], ORIGIN)
    found = fingerprint(tmp_path, BOOKS)
    with pytest.raises(ArchiveError, match=f"{name} is .* in the files and .* in the warehouse"):
        refuse_difference(tmp_path, BOOKS, found | {name: (found[name] or 0) + 1})
