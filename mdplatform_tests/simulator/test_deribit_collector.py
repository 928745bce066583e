"""Deribit's protocol, through the real collector."""

from __future__ import annotations

from typing import Any

import pytest

from mdplatform.core.session import Credentials
from mdplatform.simulator.server import Simulator
from mdplatform.simulator.venues.deribit.exchange import CLIENT_ID, CLIENT_SECRET
from mdplatform_tests.collector.rig import Running, collecting, order
from mdplatform_tests.simulator.deribit_rig import SYMBOLS, collector, running_simulator


async def until_books(running: Running, count: int = 3) -> None:
    await running.until_valid("book", times=count)


def is_true(sim: Simulator, book: dict[str, Any]) -> bool:
    """Whether the book is the one that the simulator had, amounts as the venue sent them."""
    truth = sim.world.truth(book["symbol"], "deribit")
    record = None if truth is None else truth.at(update_id=book["sequence"])
    assert record is not None
    sizes = [book.get("raw_bv") or book["bv"], book.get("raw_av") or book["av"]]
    levels = [list(zip(book[side], size, strict=True)) for side, size in zip("ba", sizes, strict=True)]
    return levels == [[(float(p), float(s)) for p, s in record[side][:20]] for side in ("bids", "asks")]


async def test_books_of_a_collector_are_the_true_ones_in_base_units() -> None:
    async with running_simulator() as sim, collecting(collector(sim)) as running:
        await running.until(lambda: len(running.books("deribit")) >= 60)
        books = [book for book in running.books("deribit") if book["previous_sequence"] is not None]
        assert {book["symbol"] for book in books} == set(SYMBOLS)
        assert all(is_true(sim, book) for book in books)
        inverse = next(book for book in books if book["symbol"] == "BTC-USD-PERP")
        assert inverse["bv"][0] == pytest.approx(inverse["raw_bv"][0] / inverse["b"][0], abs=1e-12)
        assert running.rows("md.dead_letter") == []


async def test_a_collector_gets_trades_funding_and_liquidations() -> None:
    async with running_simulator(rate=400.0) as sim, collecting(collector(sim)) as running:
        await until_books(running)
        for floor in sim.world.markets["deribit"].open:
            floor.market.liquidate(5, None)
        await running.until(lambda: {row["symbol"] for row in running.rows("liquidations.deribit")} == set(SYMBOLS))
        await running.until(lambda: {row["symbol"] for row in running.rows("funding.deribit")} == set(SYMBOLS))
        sides = {row["id"]: row["side"] for row in running.rows("trades.deribit")}
        assert all(sides.get(row["id"]) == row["side"] for row in running.rows("liquidations.deribit"))
        assert all(abs(row["rate"]) < 0.01 for row in running.rows("funding.deribit"))
        assert {row["symbol"] for row in running.rows("open_interest.deribit")} == set(SYMBOLS)


async def test_a_skipped_number_is_noticed_and_only_that_book_is_requested_again() -> None:
    async with running_simulator() as sim, collecting(collector(sim)) as running:
        await until_books(running)
        order(sim, "skip venue=deribit symbol=BTC-PERPETUAL n=5")
        await until_books(running, 4)
        gaps = running.statuses(channel="book", state="gap", ended_ns=None)
        assert [(row["symbol"], row["cause"]) for row in gaps] == [("BTC-USD-PERP", "sequence_gap")]
        after = len(running.books("deribit"))
        await running.until(lambda: len(running.books("deribit")) >= after + 10)
        assert all(is_true(sim, b) for b in running.books("deribit")[after:] if b["previous_sequence"] is not None)


async def test_trades_that_a_socket_loses_come_by_rest() -> None:
    async with running_simulator(rate=400.0) as sim, collecting(collector(sim, symbols=SYMBOLS[:1])) as running:
        await running.until(lambda: len(running.rows("trades.deribit")) > 5)
        order(sim, "drop venue=deribit channel=trades count=1")
        await running.until(lambda: running.rows("trades.deribit", provenance="rest"))
        await running.until(lambda: running.statuses(channel="trades", cause="trade_id_gap_filled"))
        ids = sorted(int(row["id"]) for row in running.rows("trades.deribit"))
        assert ids == list(range(ids[0], ids[0] + len(ids)))


async def test_a_symbol_that_the_socket_does_not_know_does_the_others_no_harm() -> None:
    async with running_simulator() as lists, running_simulator(symbols=("BTC",)) as sim:
        config = collector(sim, rest_url=lists.rest_url("deribit"))
        async with collecting(config) as running:
            await until_books(running, 2)
            await running.until(lambda: running.rows("md.dead_letter"))
            assert {book["symbol"] for book in running.books("deribit")} == {"BTC-USD-PERP", "BTC-USDC-PERP"}
            (letter,) = running.rows("md.dead_letter")
            assert letter["error"].startswith("not subscribed by the venue: book.ETH-PERPETUAL.100ms")


async def test_a_collector_that_logs_in_hears_raw_channels_and_keeps_no_secret() -> None:
    options = {
        "channels": ("book.raw", "trades.raw"),
        "credentials": Credentials(CLIENT_ID, CLIENT_SECRET),
        "keep_raw": True,
    }
    async with running_simulator() as sim, collecting(collector(sim, **options)) as running:
        await until_books(running)
        tokens = [peer.notes["refresh_token"] for peer in sim.world.exchanges["deribit"].peers]
        assert tokens
        kept = b"".join(message.value for messages in running.bus.topics.values() for message in messages)
        assert b"refresh_token" in kept
        assert not any(secret.encode() in kept for secret in (*tokens, CLIENT_SECRET))


async def test_a_refused_login_says_so_and_tries_again_later() -> None:
    options = {"channels": ("book.raw",), "credentials": Credentials(CLIENT_ID, "guessed")}
    async with running_simulator() as sim, collecting(collector(sim, **options)) as running:
        await running.until(lambda: running.statuses(state="down", cause="login_refused"))
        letters = {row["error"] for row in running.rows("md.dead_letter")}
        assert letters == {"public/auth: code 13004: invalid_credentials"}


async def test_a_cut_connection_recovers_every_book() -> None:
    async with running_simulator() as sim, collecting(collector(sim)) as running:
        await until_books(running)
        order(sim, "cut venue=deribit")
        await until_books(running, 6)
        assert {row["cause"] for row in running.statuses(state="down", ended_ns=None)} == {"cut"}


async def test_indices_are_requested_once_and_come_as_events_of_their_own() -> None:
    channels = ("deribit_price_index", "deribit_volatility_index")
    async with running_simulator() as sim, collecting(collector(sim, channels=channels)) as running:
        expected = {"BTC-USD-INDEX", "BTC-DVOL", "ETH-USD-INDEX", "ETH-DVOL", "BTC-USDC-INDEX"}
        await running.until(lambda: {row["symbol"] for row in running.rows("index.deribit")} >= expected)
        assert running.statuses(channel="index", state="valid")
        assert running.rows("md.dead_letter") == []
