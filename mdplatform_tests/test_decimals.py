"""Which text is a number that may go out as it is."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdplatform.decimals import check_best, check_levels, check_numbers, check_positive, plain
from mdplatform.errors import FrameError


@pytest.mark.parametrize("text", ["0", "1", "10", "0.1", "61837.63000000", "0.000000000000000001", "9" * 18])
def test_plain_decimals_pass(text: str) -> None:
    check_numbers(text)


@pytest.mark.parametrize(
    "text",
    ["", " ", "-1", "+1", "1e5", "NaN", "inf", "01", "1.", ".5", "1,2", "1_0", "0x1", "1 ", "1\n", "٣", "9" * 19],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(FrameError, match="bad_number"):
        check_numbers(text)
    with pytest.raises(FrameError, match="bad_number"):
        check_levels([("1", "1"), (text, "1")])
    with pytest.raises(FrameError, match="bad_number"):
        check_levels([("1", text)])
    with pytest.raises(FrameError, match="bad_number"):
        check_positive("1", text)


def test_a_price_of_zero_is_refused_and_a_size_of_zero_is_not() -> None:
    check_levels([("1", "0.000")])
    with pytest.raises(FrameError, match="price 0"):
        check_levels([("1", "1"), ("0.000", "1")])
    with pytest.raises(FrameError, match="above zero"):
        check_positive("1", "0.00")


def test_an_exponent_is_written_out_exactly() -> None:
    assert [plain(text) for text in ("1.25e-05", "-6.5E-6", "0e0", '"12e3"', "0.10")] == [
        *("0.0000125", "-0.0000065", "0", "12000", "0.10"),
    ]


@pytest.mark.parametrize("text", ["1e9999999999", "1e-9999999999", "0e9999999999", "1e19", "true"])
def test_an_exponent_that_no_price_has_is_refused(text: str) -> None:
    with pytest.raises(FrameError, match="bad_number"):
        plain(text)


TEXT = st.text("01.,-e", max_size=5) | st.sampled_from(["1", "0.1", "10"])


@given(TEXT, TEXT, TEXT, TEXT)
def test_best_levels_pass_when_each_number_would_alone(bid: str, bid_size: str, ask: str, ask_size: str) -> None:
    def alone() -> None:
        for text in (bid, bid_size, ask, ask_size):
            check_positive(text)

    assert passes(lambda: check_best((bid, bid_size), (ask, ask_size))) == passes(alone)


@given(st.lists(st.tuples(st.text("01.,-e", max_size=5), st.text("01.,-e", max_size=5)), max_size=3))
def test_levels_pass_when_each_number_would_alone(pairs: list[tuple[str, str]]) -> None:
    def alone() -> None:
        for price, size in pairs:
            check_positive(price)
            check_numbers(size)

    assert passes(lambda: check_levels(pairs)) == passes(alone)


def passes(check: Callable[[], None]) -> bool:
    try:
        check()
    except FrameError:
        return False
    return True


@given(st.text(max_size=12))
def test_what_passes_is_a_json_number(text: str) -> None:
    try:
        check_numbers(text)
    except FrameError:
        return
    assert json.loads(text) >= 0
