"""Retry-After, as far as it is reasonable."""

import pytest

from mdplatform.feed.backoff import retry_after_s


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("5", 5.0),
        ("1.5", 1.5),
        (" 30 ", 30.0),
        ("0", 0.0),
        ("601", 600.0),
        ("86400", 600.0),
        ("99999999999", None),
        ("9" * 5000, None),
        ("-1", None),
        ("1e3", None),
        ("nan", None),
        ("inf", None),
        ("\u00b2", None),
        ("\u0665", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("", None),
        (None, None),
    ],
)
def test_a_wait_is_obeyed_up_to_ten_minutes_and_nonsense_is_none(header: str | None, seconds: float | None) -> None:
    assert retry_after_s(header) == seconds
