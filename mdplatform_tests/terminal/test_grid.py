"""Rows of a query as people see them."""

import json

import pytest

from mdplatform.terminal.grid import MOST_ROWS, short, table


def lines(names: list[str], types: list[str], *rows: list[str | None]) -> list[bytes]:
    return [json.dumps(line).encode() for line in (names, types, *rows)]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1474.0542900000046", "1474.05429"),
        ("0.30000000000000004", "0.3"),
        ("-0.30000000000000004", "-0.3"),
        ("0.133634167398", "0.133634167398"),
        ("60000.1", "60000.1"),
        ("1e-9", "1e-9"),
        ("12345678901234567", "12345678901234567"),
    ],
)
def test_a_float_is_as_long_as_what_it_was_made_of(text: str, shown: str) -> None:
    assert short(text) == shown


def test_texts_stand_left_numbers_right_and_only_floats_are_shortened() -> None:
    noise = "0.30000000000000004"
    given = lines(["id", "sum", "n"], ["String", "Nullable(Float64)", "UInt64"], [noise, noise, "10"], ["x", None, "7"])
    assert table(given).splitlines() == [
        "┌─id──────────────────┬──sum─┬──n─┐",
        "│ 0.30000000000000004 │  0.3 │ 10 │",
        "│ x                   │ NULL │  7 │",
        "└─────────────────────┴──────┴────┘",
    ]


def test_the_floats_of_an_array_are_shortened_too() -> None:
    assert "│ [1.5,0.3] │" in table(lines(["b"], ["Array(Float64)"], ["[1.5,0.30000000000000004]"]))


def test_what_is_wider_than_the_terminal_is_shown_row_by_row() -> None:
    given = lines(["exchange", "symbol"], ["String", "String"], ["binance", "BTC-USDT"])
    assert table(given, 20).splitlines() == ["─── row 1 ───", "exchange  binance", "symbol    BTC-USDT"]
    assert table(given, 80).startswith("┌")


def test_no_rows_are_no_table() -> None:
    assert table(lines(["n"], ["UInt8"])) == ""


def test_rows_beyond_what_anybody_reads_are_counted() -> None:
    given = lines(["n"], ["UInt8"], *([["1"]] * (MOST_ROWS + 2)))
    assert table(given).endswith("\n… and 2 more rows")
