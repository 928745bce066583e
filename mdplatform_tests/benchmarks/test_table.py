"""What a benchmark prints."""

from benchmarks.table import Table, ratio


def test_a_table_is_aligned_markdown_with_a_dash_for_what_was_not_measured() -> None:
    table = Table(
        "speed", "more is better", ["x", "frames", "of"], [[1.25, 12345, "books"], [None, 7.0, "a"]], ["a note"]
    )
    assert table.text().splitlines() == [
        "### speed: more is better",
        "",
        "|    x | frames | of    |",
        "|-----:|-------:|-------|",
        "| 1.25 | 12,345 | books |",
        "|    - |   7.00 | a     |",
        "",
        "a note",
    ]


def test_what_was_not_measured_has_no_ratio() -> None:
    assert (ratio(6.0, 3.0), ratio(None, 3.0), ratio(6.0, None)) == (2.0, None, None)
