"""The instrument lists that a collector asks for, page by page."""

import json

import pytest
from aiohttp import web

from mdplatform.clock import SystemClock
from mdplatform.collector.start import listed_instruments
from mdplatform.errors import FrameError
from mdplatform.feed.budget import Budget
from mdplatform.feed.rest import RestClient
from mdplatform.symbols import Instruments
from mdplatform.venues import venue

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
            return await listed_instruments(
                venue("bybit"), rest, lambda body, rows: kept.append(len(rows.instruments))
            ), kept
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
