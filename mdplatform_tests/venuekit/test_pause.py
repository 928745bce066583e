"""How long a symbol waits for its next snapshot."""

from hypothesis import given, settings
from hypothesis import strategies as st

from mdplatform.core.clock import SECOND
from mdplatform.venuekit.pause import HELD_NS, Pause

FIRST, LAST = 10 * SECOND, 160 * SECOND


def waits(pause: Pause, breaks: int, held_ns: int = SECOND) -> list[int]:
    """Seconds between the requests of a book that stands ``held_ns`` after each and then breaks."""
    now_ns, found = 0, []
    pause.asked(now_ns)
    for _ in range(breaks):
        asked_ns = now_ns
        pause.whole(now_ns)
        now_ns += held_ns
        pause.broke(now_ns)
        while not pause.is_over(now_ns):
            now_ns += SECOND
        pause.asked(now_ns)
        found.append((now_ns - asked_ns) // SECOND)
    return found


def test_the_first_break_is_repaired_at_once_and_each_that_follows_after_twice_as_long() -> None:
    assert waits(Pause(FIRST, LAST), 8) == [1, 10, 20, 40, 80, 160, 160, 160]


def test_a_book_that_held_for_a_good_time_is_repaired_at_once_each_time() -> None:
    assert waits(Pause(FIRST, LAST), 4, HELD_NS) == 4 * [HELD_NS // SECOND]


def test_after_a_good_time_the_second_break_waits() -> None:
    pause = Pause(FIRST, LAST)
    pause.asked(0)
    pause.whole(0)
    pause.broke(HELD_NS)
    assert pause.is_over(HELD_NS)
    pause.asked(HELD_NS)
    pause.whole(HELD_NS)
    pause.broke(HELD_NS + 1)
    assert not pause.is_over(HELD_NS + FIRST - 1)
    assert pause.is_over(HELD_NS + FIRST)


def test_what_is_not_answered_is_requested_with_growing_intervals() -> None:
    pause, times = Pause(FIRST, LAST), []
    for second in range(600):
        if pause.is_over(second * SECOND):
            pause.asked(second * SECOND)
            times.append(second)
    assert times == [0, 10, 30, 70, 150, 310, 470]


def test_a_new_connection_begins_without_a_pause() -> None:
    pause = Pause(FIRST, LAST)
    waits(pause, 6)
    pause.forget()
    assert pause.is_over(0)


@given(st.lists(st.tuples(st.integers(1, 90), st.booleans()), min_size=1, max_size=200))
@settings(max_examples=100, deadline=None)
def test_whatever_happens_a_symbol_is_asked_for_no_more_than_twice_a_minute_on_average(
    story: list[tuple[int, bool]],
) -> None:
    """``story``: seconds that pass, and whether the book breaks then or stands again."""
    pause, now_ns, asked, is_whole = Pause(FIRST, LAST), 0, 0, False
    for seconds, breaks in story:
        for _ in range(seconds):
            now_ns += SECOND
            if not is_whole and pause.is_over(now_ns):
                pause.asked(now_ns)
                asked += 1
        if breaks:
            pause.broke(now_ns)
            is_whole = False
        elif not is_whole and asked:
            pause.whole(now_ns)
            is_whole = True
    assert asked <= 4 + now_ns / (30 * SECOND)
