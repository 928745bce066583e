"""The instrument lists that a collector asks for, page by page."""

import json

import pytest
from aiohttp import web

from mdplatform.collector import instrument_selection
from mdplatform.collector.instrument_selection import LIST_EVERY_S, SOON_S, Lists
from mdplatform.core.clock import SECOND, FrozenClock, SystemClock
from mdplatform.core.errors import RestError
from mdplatform.core.instrument_list import InstrumentList
from mdplatform.core.session import Request
from mdplatform.core.symbols import Instrument, Instruments
from mdplatform.feed.backoff import Backoff
from mdplatform.feed.rate_limit import Budget
from mdplatform.feed.rest import RestClient
from mdplatform.venues import venue
from mdplatform.venues.binance.spot import Binance

NOW = 1_790_000_000 * SECOND
# category and cursor -> (symbols, cursor of the next page)
Pages = dict[tuple[str, str], tuple[tuple[str, ...], str | None]]
PAGES: Pages = {
    ("linear", ""): (("BTC", "ETH"), "page_token%3D2"),
    ("linear", "page_token=2"): (("SOL",), "page_token%3D3%26x"),
    ("linear", "page_token=3&x"): (("XRP",), ""),
    ("spot", ""): (("BTC",), None),
    ("inverse", ""): ((), ""),
    ("option", ""): ((), ""),  # of each of three assets
}


async def listed(pages: Pages) -> tuple[Instruments, list[int], list[str]]:
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
            return await lists.ask(), kept, [str(error) for error in lists.failed.values()]
    finally:
        await runner.cleanup()


async def test_every_page_of_every_list_is_asked_for_and_kept() -> None:
    instruments, kept, failed = await listed(PAGES)
    symbols = [row.symbol for row in instruments]
    assert symbols == ["BTC-USDT-PERP", "ETH-USDT-PERP", "SOL-USDT-PERP", "XRP-USDT-PERP", "BTC-USDT"]
    assert kept == [2, 1, 1, 1, 0, 0, 0, 0]
    assert failed == []


async def test_pages_that_lead_in_a_circle_are_refused_and_cost_no_other_list() -> None:
    circle: Pages = {("linear", "page_token=3&x"): (("XRP",), "page_token%3D2")}
    instruments, _, (problem,) = await listed(PAGES | circle)
    assert problem.startswith("repeated_page: the list leads back to ")
    assert problem.endswith("&cursor=page_token%3D2")
    assert [row.symbol for row in instruments] == ["BTC-USDT"]


async def test_a_list_that_fails_keeps_nobody_who_wants_nothing_of_it() -> None:
    facts, asked = TwoLists(), Answering("/failing")
    lists = Lists(facts, asked, FrozenClock(NOW), lambda body, stated: None)  # type: ignore[arg-type]
    found = await lists.first(lambda listed: len(listed) == 1, strict=True)
    assert [row.base for row in found] == ["BTC"]
    assert lists.pause_s((), ()) == SOON_S
    asked.failing = ""
    assert len(await lists.ask()) == 2
    asked.failing = "/failing"
    assert len(await lists.ask()) == 2


async def test_a_list_that_fails_is_waited_for_a_while_by_who_wants_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instrument_selection, "Backoff", lambda base_s: Backoff(base_s, draw=lambda low, high: 0.0))
    lists = Lists(TwoLists(), Answering("/failing"), FrozenClock(NOW), lambda body, stated: None)  # type: ignore[arg-type]
    assert len(await lists.first(lambda listed: False, strict=False)) == 1


async def test_a_venue_that_refuses_all_its_lists_for_good_is_an_error() -> None:
    lists = Lists(TwoLists(), Answering("/"), FrozenClock(NOW), lambda body, stated: None)  # type: ignore[arg-type]
    with pytest.raises(RestError):
        await lists.first(lambda listed: False, strict=False)


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


class TwoLists(Binance):
    def instruments_requests(self) -> tuple[Request, ...]:
        return Request("/BTC"), Request("/failing")

    def parse_instruments(self, body: bytes) -> InstrumentList:
        name = body.decode().removeprefix("/")
        return InstrumentList([Instrument(exchange="binance", venue_symbol=name, base=name, quote="USDT")])


class Answering:
    """Answers with the path, and 404 where that begins as ``failing`` says."""

    def __init__(self, failing: str = "") -> None:
        self.failing = failing

    async def get(self, request: Request) -> bytes:
        if self.failing and request.path.startswith(self.failing):
            raise RestError(request.path, 404)
        return request.path.encode()
