"""Which text is a number that may go out as it is."""

import json
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdplatform.core.decimals import (
    check_best,
    check_levels,
    check_numbers,
    check_positive,
    check_signed,
    floats,
    plain,
    sound_levels,
)
from mdplatform.core.errors import FrameError


@pytest.mark.parametrize("text", ["0", "1", "10", "0.1", "61837.63000000", "0.000000000000000001", "9" * 18])
def test_plain_decimals_pass(text: str) -> None:
    check_numbers(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "-1", "+1", "1e5", "NaN", "inf", "01", "1.", ".5", "1,2", "1_0", "0x1", "1 ", "1\n", "٣", "9" * 19),
        *("0." + "1" * 19, "[1", "1]", '"1', "[1]", "1\\", "1.2.3"),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(FrameError, match="bad_number"):
        check_numbers(text)
    with pytest.raises(FrameError, match="bad_number"):
        check_levels([("1", "1"), (text, "1")])
    with pytest.raises(FrameError, match="bad_number"):
        check_levels([("1", text)])
    with pytest.raises(FrameError, match="bad_number"):
        check_levels([("1", "1"), ("2", "0.5"), (text, "0")])
    with pytest.raises(FrameError, match="bad_number"):
        check_positive("1", text)


def test_a_price_of_zero_is_refused_and_a_size_of_zero_is_not() -> None:
    check_levels([("1", "0.000")])
    with pytest.raises(FrameError, match="price 0"):
        check_levels([("1", "1"), ("0.000", "1")])
    with pytest.raises(FrameError, match="price 0"):
        check_levels([("1", "1"), ("2", "1"), ("0.000", "1")])
    with pytest.raises(FrameError, match="above zero"):
        check_positive("1", "0.00")


def test_an_exponent_is_written_out_exactly() -> None:
    assert [plain(text) for text in ("1.25e-05", "-6.5E-6", "0e0", '"12e3"', "0.10")] == [
        *("0.0000125", "-0.0000065", "0", "12000", "0.10"),
    ]


@pytest.mark.parametrize(
    ("text", "rounded"),
    [
        ("1.234567890123456e-05", "0.000012345678901234"),  # 20 decimals, as funding rates have
        ("0.00001234567890123456", "0.000012345678901234"),
        ("2.5e-18", "0.000000000000000002"),
        ("4e-19", "0.000000000000000001"),
        ("-4e-19", "-0.000000000000000001"),
        ("1e-9999999999", "0.000000000000000001"),
        ("0e9999999999", "0"),
    ],
)
def test_more_than_18_decimals_are_rounded_towards_zero_and_never_to_it(text: str, rounded: str) -> None:
    assert plain(text) == rounded
    check_signed(rounded)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**17), max_value=10**17))
def test_any_number_of_17_digits_comes_out_as_one_that_passes(number: Decimal) -> None:
    text = plain(str(number))
    check_signed(text)
    assert abs(Decimal(text) - number) <= Decimal("1e-18")
    assert bool(Decimal(text)) == bool(number)


@pytest.mark.parametrize("text", ["1e9999999999", "1e99999999999999999999999", "1e19", "1_0e5", "true", "1" * 21])
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


ODD_TEXT = st.text('019.,-eE[]"\\ \n\u0663', max_size=5)
DECIMAL = st.from_regex(r"(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?", fullmatch=True)


@given(st.lists(st.tuples(DECIMAL, DECIMAL), max_size=6))
def test_levels_that_pass_are_given_as_the_numbers_that_they_are(pairs: list[tuple[str, str]]) -> None:
    if passes(lambda: check_levels(pairs)):
        assert check_levels(pairs) == floats(pairs) == [float(text) for pair in pairs for text in pair]


@given(st.lists(st.tuples(DECIMAL, DECIMAL), max_size=4), st.lists(st.tuples(ODD_TEXT, ODD_TEXT), max_size=2))
def test_levels_pass_when_each_number_would_alone(sound: list[tuple[str, str]], odd: list[tuple[str, str]]) -> None:
    pairs = sound + odd

    def alone() -> None:
        for price, size in pairs:
            check_positive(price)
            check_numbers(size)

    assert passes(lambda: check_levels(pairs)) == passes(alone)


@given(st.lists(st.tuples(TEXT, TEXT), max_size=5))
def test_sound_levels_are_those_that_would_pass_alone(pairs: list[tuple[str, str]]) -> None:
    sound, others = sound_levels(pairs)
    assert [pair for pair in pairs if passes(lambda pair=pair: check_levels([pair]))] == sound  # type: ignore[misc]
    assert len(sound) + len(others) == len(pairs)


def passes(check: Callable[[], object]) -> bool:
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
