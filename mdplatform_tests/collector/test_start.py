"""The instrument lists that a collector asks for, page by page."""

import json

import pytest
from aiohttp import web

from mdplatform.clock import SECOND, FrozenClock, SystemClock
from mdplatform.collector.start import LIST_EVERY_S, SOON_S, Lists
from mdplatform.errors import FrameError
from mdplatform.feed.budget import Budget
from mdplatform.feed.rest import RestClient
from mdplatform.instrumentlist import InstrumentList
from mdplatform.session import Request
from mdplatform.symbols import Instrument, Instruments
from mdplatform.venues import venue
from mdplatform.venues.binance import Binance

# category and cursor -> (symbols, cursor of the next page)
Pages = dict[tuple[str, str], tuple[tuple[str, ...], str | None]]
PAGES: Pages = {
    ("linear", ""): (("BTC", "ETH"), "page_token%3D2"),
    ("linear", "page_token=2"): (("SOL",), "page_token%3D3%26x"),
    ("linear", "page_token=3&x"): (("XRP",), ""),
    ("spot", ""): (("BTC",), None),
    ("inverse", ""): ((), ""),
}


async def listed(pages: Pages) -> tuple[Instruments, list[int]]:
    """What a server of these pages lists, and how many instruments each answer held that was kept."""
    kept: list[int] = []

    async def answer(request: web.Request) -> web.Response:
        category = request.query["category"]
        names, cursor = pages[category, request.query.get("cursor", "")]
        kind = {} if category == "spot" else {"contractType": "LinearPerpetual"}
        rows = [{"symbol": f"{name}USDT", "baseCoin": name, "quoteCoin": "USDT"} | kind for name in names]
        result = {"category": category, "list": rows} | ({} if cursor is None else {"nextPageCursor": cursor})
        return web.Response(text=json.dumps({"retCode": 0, "retMsg": "OK", "result": result}))

    app = web.Application()
    app.router.add_get("/v5/market/instruments-info", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        async with RestClient(f"http://{host}:{port}", Budget(100, 1.0), SystemClock()) as rest:
            lists = Lists(venue("bybit"), rest, SystemClock(), lambda body, rows: kept.append(len(rows.instruments)))
            return await lists.ask(), kept
    finally:
        await runner.cleanup()


async def test_every_page_of_every_list_is_asked_for_and_kept() -> None:
    instruments, kept = await listed(PAGES)
    symbols = [row.symbol for row in instruments]
    assert symbols == ["BTC-USDT-PERP", "ETH-USDT-PERP", "SOL-USDT-PERP", "XRP-USDT-PERP", "BTC-USDT"]
    assert kept == [2, 1, 1, 1, 0]


async def test_pages_that_lead_in_a_circle_are_refused() -> None:
    circle: Pages = {("linear", "page_token=3&x"): (("XRP",), "page_token%3D2")}
    with pytest.raises(FrameError, match=r"repeated_page: the list leads back to .*&cursor=page_token%3D2"):
        await listed(PAGES | circle)


async def test_a_list_that_shrinks_by_more_than_half_is_not_believed_for_an_hour() -> None:
    facts, clock, letters = Shrinking(), FrozenClock(1_790_000_000 * SECOND), []

    def keep(body: bytes, stated: InstrumentList) -> None:
        letters.extend(row.reason for row in stated.refused)

    lists = Lists(facts, Answering(), clock, keep)  # type: ignore[arg-type]
    facts.names = ("BTC", "ETH", "SOL", "XRP", "ADA")
    assert len(await lists.ask()) == 5
    facts.names = ("BTC", "ETH")
    assert len(await lists.ask()) == 5
    assert letters == ["list_shrank"]
    assert lists.pause_s((), ()) == SOON_S
    assert lists.pause_s((), ()) == 2 * SOON_S
    clock.advance(3600 * SECOND)
    assert {row.base for row in await lists.ask()} == {"BTC", "ETH"}
    assert letters == ["list_shrank"]
    assert lists.pause_s((), ()) == LIST_EVERY_S


async def test_a_list_that_shrank_and_is_whole_again_was_never_believed() -> None:
    facts, clock = Shrinking(), FrozenClock(1_790_000_000 * SECOND)
    lists = Lists(facts, Answering(), clock, lambda body, stated: None)  # type: ignore[arg-type]
    for names, known in ((("BTC", "ETH", "SOL"), 3), ((), 3), (("BTC", "ETH"), 2)):
        facts.names = names
        assert len(await lists.ask()) == known


class Shrinking(Binance):
    names: tuple[str, ...] = ()

    def parse_instruments(self, body: bytes) -> InstrumentList:
        rows = [Instrument(exchange="binance", venue_symbol=f"{n}USDT", base=n, quote="USDT") for n in self.names]
        return InstrumentList(rows)


class Answering:
    async def get(self, request: Request) -> bytes:
        return b"{}"
