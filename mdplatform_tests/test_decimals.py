"""Which text is a number that may go out as it is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdplatform.decimals import check_levels, check_numbers, check_positive
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


def test_a_price_of_zero_is_refused_and_a_size_of_zero_is_not() -> None:
    check_levels([("1", "0.000")])
    with pytest.raises(FrameError, match="price 0"):
        check_levels([("1", "1"), ("0.000", "1")])
    with pytest.raises(FrameError, match="above zero"):
        check_positive("1", "0.00")


@given(st.text(max_size=12))
def test_what_passes_is_a_json_number(text: str) -> None:
    try:
        check_numbers(text)
    except FrameError:
        return
    assert json.loads(text) >= 0
