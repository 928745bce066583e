"""Frames of several rows: a bad one is kept with its reason, and costs no other."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from mdplatform.core.errors import FrameError
from mdplatform.core.session import Output
from mdplatform.venuekit.rows import RowDecoder, Rows, RowTaking, joined


class Row(msgspec.Struct):
    id: int


class Push(msgspec.Struct):
    rows: list[Row] = msgspec.field(name="data")
    kind: str = ""


class Envelope(msgspec.Struct):
    events: list[Push]


read = RowDecoder(Push, Row, "rows").decode
read_list = RowDecoder(list[Row], Row).decode
read_events = RowDecoder(Envelope, Row, "events", "rows").decode


def _ids(rows: list[Row]) -> list[int]:
    return [row.id for row in rows]


def test_a_sound_frame_has_a_plain_list() -> None:
    push = read(b'{"data":[{"id":1},{"id":2}],"kind":"x"}')
    assert type(push.rows) is list
    assert _ids(push.rows) == [1, 2]


def test_a_row_that_cannot_be_read_leaves_the_others() -> None:
    push = read(b'{"data":[{"id":1},{"id":"2"},{"id":3}],"kind":"x"}')
    assert isinstance(push, Push)
    assert push.kind == "x"
    assert isinstance(push.rows, Rows)
    assert _ids(push.rows) == [1, 3]
    assert [n for n, _ in push.rows.bad] == [2]


def test_a_list_without_an_envelope_is_read_alike() -> None:
    rows = read_list(b'[{"id":1},{},{"id":3}]')
    assert isinstance(rows, Rows)
    assert _ids(rows) == [1, 3]
    assert rows.numbers == [1, 3]


def test_rows_are_counted_through_all_lists_of_a_frame() -> None:
    message = read_events(b'{"events":[{"data":[{"id":1},{"id":2}]},{"data":[{},{"id":4}]}]}')
    rows = joined([event.rows for event in message.events])
    assert isinstance(rows, Rows)
    assert _ids(rows) == [1, 2, 4]
    assert rows.numbers == [1, 2, 4]
    assert rows.total == 4


@pytest.mark.parametrize(
    "frame", [b'{"data":[{"id":"1"}]}', b'{"data":[{"id":1},{"id":2}],"kind":3}', b'{"data":[{"id":1},', b"{}"]
)
def test_what_is_no_single_rows_fault_is_refused_as_a_whole(frame: bytes) -> None:
    with pytest.raises(msgspec.DecodeError) as strictly:
        msgspec.json.decode(frame, type=Push)
    with pytest.raises(msgspec.DecodeError) as refusal:
        read(frame)
    assert str(refusal.value) == str(strictly.value)


class Kept(RowTaking):
    """A session that keeps what it refuses."""

    def __init__(self) -> None:
        self.errors: list[Exception] = []

    def refuse(self, error: Exception, frame: bytes, received_ns: int) -> list[Output]:
        self.errors.append(error)
        return []


def _only_odd(taken: list[int]) -> Callable[[Row], list[Output]]:
    def take(row: Row) -> list[Output]:
        if row.id % 2 == 0:
            raise FrameError("even", f"{row.id} is even")
        taken.append(row.id)
        return []

    return take


def test_one_error_names_all_bad_rows_by_their_reasons() -> None:
    rows, kept, taken = read(b'{"data":[{"id":1},{"id":2},{},{"id":3},{"id":4}]}').rows, Kept(), list[int]()
    kept.each(rows, _only_odd(taken), b"", 0)
    assert taken == [1, 3]
    text = "even: rows 2, 5 of 5: 2 is even; row 3 of 5: Object missing required field `id`"
    assert [str(error) for error in kept.errors] == [text]


def test_numbers_of_rows_are_those_of_the_frame_where_they_are_taken_in_another_order() -> None:
    rows, kept, taken = [Row(5), Row(4), Row(1)], Kept(), list[int]()
    kept.each(rows, _only_odd(taken), b"", 0, sorted(rows, key=lambda row: row.id))
    assert taken == [1, 5]
    assert str(kept.errors[0]) == "even: row 2 of 3: 4 is even"


def test_the_error_of_an_only_row_is_raised() -> None:
    with pytest.raises(FrameError, match=r"^even: 2 is even$"):
        Kept().each([Row(2)], _only_odd([]), b"", 0)


def test_many_bad_rows_are_reported_in_one_error() -> None:
    kept = Kept()
    kept.each([Row(2 * n) for n in range(1, 101)], _only_odd([]), b"", 0)
    assert len(kept.errors) == 1
    assert str(kept.errors[0]).startswith("even: rows 1, 2, 3, 4, 5 and 95 more of 100: ")
