"""Times as text become nanoseconds without passing through a float."""

import pytest

from mdplatform.core.clock import rfc3339_ns


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-08-20T12:00:00.123456789Z", 1787227200_123456789),
        ("2026-08-20T12:00:00.000001Z", 1787227200_000001000),
        ("2026-08-20T12:00:00Z", 1787227200_000000000),
        ("2026-08-20 12:00:00.5Z", 1787227200_500000000),
        ("1970-01-01T00:00:00Z", 0),
        ("0001-01-01T00:00:00.000000Z", -62135596800_000000000),
        ("2024-02-29T23:59:60Z", 1709251200_000000000),
    ],
)
def test_text_is_read_to_the_nanosecond(text: str, expected: int) -> None:
    assert rfc3339_ns(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-08-20",
        "2026-08-20T12:00:00",
        "2026-08-20T12:00:00+02:00",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-08-20T24:00:00Z",
        "2026-08-20T12:60:00Z",
        "2026-08-20T12:00:00.Z",
        "x" * 99,
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        rfc3339_ns(text)
