"""Gate's recorded captures: every book that moved is joined, no sequence breaks, quotes agree with books."""

from pathlib import Path

import pytest

from mdplatform.recordings.tape import read_lines
from mdplatform_tests.venues.replaying import Message, check_sound, intervals, of, replay


def lines_of(folder: Path, name: str, *parts: str) -> list[bytes]:
    return [line for part in parts for line in read_lines(folder / "gate" / f"cryptofeed_{name}.{part}")]


@pytest.fixture(scope="module")
def spot(shared_data: Path) -> list[bytes]:
    return lines_of(shared_data, "GATEIO", "0.gz", "http.0.0", "ws.1.0")


@pytest.fixture(scope="module")
def futures(shared_data: Path) -> list[bytes]:
    return lines_of(shared_data, "GATEIO_FUTURES", "0.gz", "http.0.0", "ws.1.0")


def joined(messages: list[Message]) -> set[str]:
    return {book["symbol"] for book in of(messages, "book")}


def test_all_pairs_that_moved_are_joined_without_a_break(spot: list[bytes]) -> None:
    messages, summary = replay("gate", spot)
    assert len(joined(messages)) == 8
    assert not [state for state, _, _ in intervals(messages, "book") if state == "gap"]
    assert len(of(messages, "trade")) == 9
    assert summary.ignored["tickers"] == 22
    assert not summary.dead_letters
    for message in messages:
        check_sound(message)


def test_all_contracts_that_moved_are_joined_without_a_break(futures: list[bytes]) -> None:
    messages, summary = replay("gate", futures)
    assert len(joined(messages)) == 9
    assert all(symbol.endswith("-USDT-PERP") for symbol in joined(messages))
    assert not [state for state, _, _ in intervals(messages, "book") if state == "gap"]
    assert len(of(messages, "quote")) == 75
    assert not summary.dead_letters
    for message in messages:
        check_sound(message)


def test_a_book_is_the_quote_of_the_same_update(futures: list[bytes]) -> None:
    messages, _ = replay("gate", futures)
    books = {(b["symbol"], b["sequence"]): [b["b"][0], b["bv"][0], b["a"][0], b["av"][0]] for b in of(messages, "book")}
    quotes = {
        (q["symbol"], q["sequence"]): [q["bid_price"], q["bid_size"], q["ask_price"], q["ask_size"]]
        for q in of(messages, "quote")
    }
    both = books.keys() & quotes.keys()
    assert len(both) == 16
    assert all(books[key] == quotes[key] for key in both)


@pytest.mark.parametrize("name", ["GATEIO", "GATEIO_FUTURES"])
def test_without_a_list_the_books_are_the_same(shared_data: Path, name: str) -> None:
    listed = of(replay("gate", lines_of(shared_data, name, "0.gz", "http.0.0", "ws.1.0"))[0], "book")
    assert of(replay("gate", lines_of(shared_data, name, "http.0.0", "ws.1.0"))[0], "book") == listed


def test_snapshots_after_all_updates_join_too(shared_data: Path) -> None:
    messages, _ = replay("gate", lines_of(shared_data, "GATEIO_FUTURES", "0.gz", "ws.1.0", "http.0.0"))
    assert len(joined(messages)) == 9


def updates_of(lines: list[bytes], symbol: str) -> list[int]:
    wanted = (b"order_book_update", b'"event":"update"', b'"s":"%s"' % symbol.encode())
    return [index for index, line in enumerate(lines) if all(part in line for part in wanted)]


def test_an_update_cut_out_is_noticed_at_the_next_one_and_concerns_one_symbol(futures: list[bytes]) -> None:
    whole, _ = replay("gate", futures)
    updates = updates_of(futures, "WOO_USDT")
    cut = updates[len(updates) // 2]
    messages, _ = replay("gate", futures[:cut] + futures[cut + 1 :])
    (gap,) = [m for m in of(messages, "status") if m["state"] == "gap" and m["ended_ns"] is None]
    assert (gap["symbol"], gap["cause"]) == ("WOO-USDT-PERP", "sequence_gap")
    others = [book for book in of(whole, "book") if book["symbol"] != "WOO-USDT-PERP"]
    assert [book for book in of(messages, "book") if book["symbol"] != "WOO-USDT-PERP"] == others


def test_an_update_doubled_changes_nothing(futures: list[bytes]) -> None:
    index = updates_of(futures, "WOO_USDT")[-5]
    doubled, _ = replay("gate", [*futures[: index + 1], *futures[index:]])
    assert of(doubled, "book") == of(replay("gate", futures)[0], "book")


def test_two_updates_swapped_are_noticed(futures: list[bytes]) -> None:
    updates = updates_of(futures, "WOO_USDT")
    first, second = updates[-6], updates[-5]
    swapped = [*futures]
    swapped[first], swapped[second] = futures[second], futures[first]
    messages, _ = replay("gate", swapped)
    assert [m["symbol"] for m in of(messages, "status") if m["state"] == "gap" and m["ended_ns"] is None] == [
        "WOO-USDT-PERP"
    ]
