"""Who counts the losses must be able to see one."""

from pathlib import Path

import msgspec

from mdplatform_tests.chaos.account import broken, covered, identity, intervals
from mdplatform_tests.chaos.witness import SIZE, Acknowledged, read

CHAIN = [("BTC", 5, None, 100), ("BTC", 7, 5, 200), ("BTC", 9, 8, 300), ("ETH", 3, None, 50)]


def test_a_missing_link_is_a_break() -> None:
    assert broken(CHAIN, {}) == 1


def test_a_break_under_an_interval_is_reported() -> None:
    assert broken(CHAIN, intervals([("BTC", "book", 210, 290)])) == 0


def test_an_interval_of_another_symbol_or_time_does_not_count() -> None:
    assert (
        broken(CHAIN, intervals([("ETH", "book", 210, 290), ("BTC", "trades", 210, 290), ("BTC", "book", 1, 2)])) == 1
    )


def test_what_was_received_within_an_interval_is_covered() -> None:
    spans = intervals([("BTC", "book", 10, 20)])
    assert [covered(spans, "BTC", "book", at) for at in (9, 10, 20, 21)] == [False, True, True, False]


def test_a_message_is_known_by_its_symbol_and_sequence_and_says_numbers() -> None:
    value = b'{"symbol":"BTC","sequence":7,"b":[1.5],"bv":[2],"a":[],"av":[],"received_ns":9}'
    assert identity("book", value) == (("book", "BTC", "7"), ((1.5,), (2.0,), (), ()), 9)


def test_a_witness_that_was_killed_while_writing_is_read_as_far_as_it_came(tmp_path: Path) -> None:
    seen = Acknowledged("t", 1, 2, b"value")
    record = msgspec.msgpack.encode(seen)
    (tmp_path / "file").write_bytes(2 * (SIZE.pack(len(record)) + record) + SIZE.pack(len(record)) + record[:3])
    assert list(read(tmp_path / "file")) == [seen, seen]
