"""Intervals follow each other without a hole, and one trouble is one interval."""

from mdplatform.core.clock import SECOND
from mdplatform.core.events import FeedStatus
from mdplatform.core.feed_status import FeedState


def feed(stale_after_s: int | None = 5) -> FeedState:
    return FeedState("x", "A-B", "book", None if stale_after_s is None else stale_after_s * SECOND)


def spans(statuses: list[FeedStatus]) -> list[tuple[str, str, int, int | None]]:
    return [(s.state, s.cause, s.started_ns, s.ended_ns) for s in statuses]


def test_opening_has_no_end_and_closing_has() -> None:
    f = feed()
    opened = f.invalid("resync", "subscribing", 10)
    turned = f.valid("joined", 7, 20)
    assert spans(opened) == [("resync", "subscribing", 10, None)]
    assert spans(turned) == [("resync", "subscribing", 10, 20), ("valid", "joined", 20, None)]


def test_valid_ends_at_the_last_proven_update() -> None:
    f = feed()
    f.valid("joined", 7, 20)
    f.proven(8, 30)
    out = f.invalid("gap", "sequence_gap", 90, first=9, missed=3)
    assert spans(out) == [("valid", "joined", 20, 30), ("gap", "sequence_gap", 30, None)]
    assert (out[0].first_sequence, out[0].last_sequence) == (7, 8)
    assert (out[1].first_sequence, out[1].last_sequence, out[1].missed) == (9, 11, 3)


def test_one_trouble_is_one_interval() -> None:
    f = feed()
    f.valid("joined", 7, 20)
    assert len(f.invalid("gap", "sequence_gap", 30)) == 2
    assert f.invalid("gap", "sequence_gap", 40) == []


def test_an_interval_that_lasts_is_extended_every_five_seconds() -> None:
    f = feed(stale_after_s=None)
    f.valid("joined", 1, SECOND)
    extended = []
    for tenth in range(10, 200):
        f.proven(tenth, tenth * SECOND // 10)
        extended += f.tick(tenth * SECOND // 10)
    assert [s.ended_ns for s in extended] == [6 * SECOND, 11 * SECOND, 16 * SECOND]
    assert {(s.state, s.started_ns) for s in extended} == {("valid", SECOND)}


def test_a_quiet_valid_feed_is_not_claimed_beyond_its_last_update() -> None:
    f = feed(stale_after_s=None)
    f.valid("joined", 1, SECOND)
    f.proven(2, 2 * SECOND)
    assert [s.ended_ns for s in f.tick(60 * SECOND)] == [2 * SECOND]


def test_silence_makes_a_feed_stale_since_its_last_update() -> None:
    f = feed()
    f.valid("joined", 1, SECOND)
    for tenth in range(10, 110):
        f.proven(tenth, tenth * SECOND // 10)
    assert [s.state for s in f.tick(15 * SECOND)] == ["valid"]
    out = f.tick(16 * SECOND)
    assert spans(out)[-1] == ("stale", "no_updates", 109 * SECOND // 10, None)


def test_a_slow_rhythm_is_not_stale() -> None:
    f = feed()
    f.valid("joined", 1, SECOND)
    states = set()
    for turn in range(1, 20):
        f.proven(turn, turn * 20 * SECOND)
        states |= {s.state for second in range(20) for s in f.tick((turn * 20 + second) * SECOND)}
    assert states == {"valid"}


def test_lost_updates_are_one_closed_gap() -> None:
    f = feed()
    f.valid("joined", 1, 10)
    out = f.lost("trade_id_gap", first=2, missed=3, sequence=5, now_ns=40)
    assert spans(out) == [
        ("valid", "joined", 10, 10),
        ("gap", "trade_id_gap", 10, 40),
        ("valid", "resumed", 40, None),
    ]
    assert (out[1].first_sequence, out[1].last_sequence, out[1].missed) == (2, 4, 3)


def test_a_closed_connection_is_down_and_a_renewed_one_is_not() -> None:
    f, renewed = feed(), feed()
    for one in (f, renewed):
        one.valid("joined", 1, 10)
        one.proven(2, 20)
    assert spans(f.closed("1006", 50)) == [("valid", "joined", 10, 20), ("down", "1006", 20, None)]
    assert spans(renewed.closed("renewed", 50)) == [("valid", "joined", 10, 20)]
    assert renewed.tick(100 * SECOND) == []


def test_valid_never_starts_inside_what_was_claimed_before() -> None:
    f = feed()
    f.invalid("resync", "no_snapshot", SECOND)
    f.tick(7 * SECOND)
    # The update that joins was received before the snapshot that it joined.
    out = f.valid("joined", 1, 3 * SECOND)
    assert spans(out) == [("resync", "no_snapshot", SECOND, 7 * SECOND), ("valid", "joined", 7 * SECOND, None)]


def test_a_feed_slower_than_it_was_thought_to_be_is_stale_only_until_that_is_known() -> None:
    f = feed()
    f.valid("joined", 1, 0)
    turned = []
    for minute in range(1, 6):
        turned += f.tick(minute * 60 * SECOND - 1)
        f.valid("resumed", minute, minute * 60 * SECOND)
        f.proven(minute, minute * 60 * SECOND)
    assert [status.state for status in turned if status.ended_ns is None] == ["stale"]
