"""The page in a real browser, Debian's chromium, over a real broker."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.core.settings import Settings
from mdplatform.embedded.broker import start_broker
from mdplatform_tests.dashboard.conftest import NO_WAREHOUSE
from mdplatform_tests.dashboard.market import market
from mdplatform_tests.dashboard.test_dagster import webserver
from mdplatform_tests.dashboard.test_history import put_instrument
from mdplatform_tests.dashboard.wire import (
    FUNDING,
    LIQUIDATION,
    OPEN_INTEREST,
    SIGNAL,
    STATS,
    STATUS,
    TRADE,
    book,
    eventually,
    publish,
    serving,
)
from mdplatform_tests.warehouse.rows import HOUR, put_status, put_trades

__all__ = ["webserver"]

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, ViewportSize

DAY_NS = 86_400 * 10**9
CHROMIUM = shutil.which("chromium")
PHONE: ViewportSize = {"width": 390, "height": 844}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine (apt-get install chromium)"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra dev)")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A tab that must end without an error in its console and without a request beyond loopback."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" and not _cut(said.text) else None)
    page.on("request", lambda request: None if "://127.0.0.1:" in request.url else wrong.append(request.url))
    yield page
    context.close()
    assert wrong == []


def _cut(text: str) -> bool:
    """What a browser itself writes of an answer that is 503 or of a connection that ended."""
    return text.startswith("Failed to load resource")


def put(settings: Settings, *books: str) -> None:
    of_funding = settings.topic_funding.replace("{exchange}", "binance")
    of_liquidations = settings.topic_liquidations.replace("{exchange}", "binance")
    of_trades = settings.topic_trades.replace("{exchange}", "binance")
    rest = [(settings.topic_status, STATUS), (of_funding, FUNDING), (of_liquidations, LIQUIDATION), (of_trades, TRADE)]
    publish(settings.kafka_brokers, *((settings.topic_books, text) for text in books), *rest)


def bid(page: Page) -> str:
    """The best bid of the first panel; a dash before there is one, empty before there is a panel."""
    found = page.locator(".panel .facts dd")
    return found.first.text_content() or "" if found.count() else ""


def shows(page: Page, selector: str, text: str) -> bool:
    return text in " ".join(page.locator(selector).all_text_contents())


def test_a_price_that_moves_moves_on_the_page(kafka_settings: Settings, page: Page) -> None:
    put(kafka_settings, book(1, None))
    with serving(kafka_settings) as url:
        page.goto(url)
        assert eventually(lambda: bid(page) == "60000.1")
        put(kafka_settings, book(2, 1, bid="60000.20"))
        assert eventually(lambda: bid(page) == "60000.2")


SCALE = """async () => {
    const [charts, format] = [await import("./charts.js"), await import("./format.js")];
    const write = charts.scaleNumbers((value) => format.significant(value, 3)).tickmarksFormatter;
    return [write([0.1 + 0.05, 0.1, 0.05, 0.3 - 0.2 - 0.1]), write([-1e-17, 2])];
}"""


def test_a_scale_of_a_chart_shows_no_noise_of_floating_point(kafka_settings: Settings, page: Page) -> None:
    with serving(kafka_settings) as url:
        page.goto(url)
        assert page.evaluate(SCALE) == [["0.15", "0.10", "0.05", "0.00"], ["0", "2"]]


def test_another_venue_is_chosen_from_the_list(kafka_settings: Settings, page: Page) -> None:
    put(kafka_settings, book(1, None), book(1, None, bid="60000.20").replace("binance", "okx"))
    with serving(kafka_settings) as url:
        page.goto(f"{url}/#feed=binance/BTC-USDT&base=BTC")
        assert eventually(lambda: bid(page) == "60000.1")
        page.select_option(".panel .venue", "okx")
        assert eventually(lambda: bid(page) == "60000.2")
        assert "feed=okx/BTC-USDT" in page.url


def test_several_feeds_stand_side_by_side_with_what_crossing_brings(kafka_settings: Settings, page: Page) -> None:
    crossed = book(1, None, bid="60000.20").replace("binance", "okx").replace("60000.30", "60000.90")
    okx = STATUS.replace("binance", "okx")
    put(kafka_settings, book(1, None), crossed)
    publish(kafka_settings.kafka_brokers, (kafka_settings.topic_status, okx))
    with serving(kafka_settings) as url:
        page.goto(f"{url}/#feed=binance/BTC-USDT&feed=okx/BTC-USDT&base=BTC")
        assert eventually(lambda: page.locator(".panel").count() == 2)
        assert eventually(lambda: shows(page, "#crossings", "okx 60000.2binance 60000.3"))


def test_liquidations_and_funding_are_shown(kafka_settings: Settings, page: Page) -> None:
    put(kafka_settings, book(1, None))
    with serving(kafka_settings) as url:
        page.goto(url)
        assert eventually(lambda: shows(page, ".tape .liquidation", "sell LIQ"))
        assert eventually(lambda: shows(page, ".facts", "mark60010.5"))


def test_a_feed_is_found_and_opened_by_keyboard(kafka_settings: Settings, page: Page) -> None:
    put(kafka_settings, book(1, None), book(1, None, bid="60000.20").replace("binance", "okx"))
    with serving(kafka_settings) as url:
        page.goto(f"{url}/#feed=binance/BTC-USDT&base=BTC")
        assert eventually(lambda: bid(page) == "60000.1")
        page.keyboard.press("/")
        page.keyboard.type("okx")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        assert eventually(lambda: bid(page) == "60000.2")


def test_a_question_mark_shows_the_keys(kafka_settings: Settings, page: Page) -> None:
    with serving(kafka_settings) as url:
        page.goto(url)
        page.keyboard.press("?")
        assert eventually(lambda: page.locator("dialog[open]").count() == 1)


def test_a_click_on_the_calendar_leads_to_the_gaps(warehouse: Client, empty: Settings, page: Page) -> None:
    now = time.time_ns()
    put_status(warehouse, "valid", now - 3600 * 10**9, now - 1800 * 10**9)
    put_status(warehouse, "gap", now - 1800 * 10**9, now - 1700 * 10**9, cause="sequence_gap", missed=3)
    put_status(warehouse, "valid", now - 1700 * 10**9, now)
    with serving(dataclasses.replace(empty, kafka_brokers="127.0.0.1:1")) as url:
        page.goto(url)
        page.locator("#coverage").scroll_into_view_if_needed()
        assert eventually(lambda: page.locator("#calendar tbody .square").count() > 0)
        page.fill("#coverage-filter", "okx")
        assert page.locator("#calendar tbody .square").count() == 0
        page.fill("#coverage-filter", "btc")
        page.locator("#calendar tbody .square:not(.whole)").first.click()
        assert eventually(lambda: shows(page, "#gaps tbody", "sequence_gap"))


def test_the_calendar_marks_what_the_venue_publishes_and_shows_the_command(
    warehouse: Client, empty: Settings, page: Page
) -> None:
    today = time.time_ns() // DAY_NS * DAY_NS
    put_status(warehouse, "valid", today - DAY_NS, today - DAY_NS // 2, channel="trades")
    put_status(warehouse, "gap", today - DAY_NS // 2, today, channel="trades", cause="disconnected")
    with serving(dataclasses.replace(empty, kafka_brokers="127.0.0.1:1")) as url:
        page.goto(url)
        page.locator("#coverage").scroll_into_view_if_needed()
        assert eventually(lambda: page.locator("#calendar tbody .square.none.loadable").count() == 1)
        titles = [square.get_attribute("title") or "" for square in page.locator("#calendar .square.unknown").all()]
        titles = [title for title in titles if title]
        assert len(titles) >= 5
        assert all(title.endswith("not collected; the venue publishes it") for title in titles)
        said = page.locator("#loadable code").inner_text()
        assert said.startswith("MDPLATFORM_HISTORY=binance:BTC-USDT dagster asset materialize")
        page.locator("#calendar tbody .square.none.loadable").click()
        assert eventually(lambda: shows(page, "#gaps tbody", "disconnected"))
        page.fill("#coverage-filter", "okx")
        assert page.locator("#loadable").is_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_phone(kafka_settings: Settings, page: Page, scheme: Literal["light", "dark"]) -> None:
    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme=scheme)
    put(kafka_settings, book(1, None))
    with serving(kafka_settings) as url:
        page.goto(url)
        assert eventually(lambda: bid(page) == "60000.1")
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_feeds_are_sorted_by_any_column_and_stay_so(kafka_settings: Settings, page: Page) -> None:
    cheap = book(1, None, bid="59000.10").replace("binance", "okx")
    put(kafka_settings, book(1, None), cheap, book(1, None, bid="60000.20").replace("binance", "gate"))

    def order() -> list[str | None]:
        rows = page.locator("#feeds tbody tr").all()
        return [row.get_attribute("data-feed") for row in rows]

    names = [f"{venue}/BTC-USDT" for venue in ("binance", "gate", "okx")]
    with serving(kafka_settings) as url:
        page.goto(url)
        assert eventually(lambda: order() == names)
        page.click("#feeds th:nth-child(5) button")
        assert order() == [names[2], names[0], names[1]]
        page.click("#feeds th:nth-child(5) button")
        assert order() == [names[1], names[0], names[2]]
        put(kafka_settings, book(2, 1, bid="60000.29").replace("binance", "okx"))
        assert eventually(lambda: order() == [names[2], names[1], names[0]])


def test_a_link_to_what_is_not_collected_says_so_and_what_there_is(kafka_settings: Settings, page: Page) -> None:
    put(kafka_settings, book(1, None))
    with serving(kafka_settings) as url:
        page.goto(f"{url}/#feed=binance/DOGE-USDT&base=BTC")
        said = "binance/DOGE-USDT is not collected; binance has BTC-USDT."
        assert eventually(lambda: shows(page, ".panel .said", said))
        page.goto(f"{url}/#feed=nowhere/BTC-USDT&base=BTC")
        assert eventually(lambda: shows(page, ".panel .said", "there are the venues binance."))


def test_what_the_address_asks_in_vain_is_reported(kafka_settings: Settings, page: Page) -> None:
    put(kafka_settings, book(1, None))
    with serving(kafka_settings) as url:
        page.goto(f"{url}/#fed=binance/BTC-USDT&minutes=7&feed=binance")
        assert eventually(lambda: bid(page) == "60000.1")
        for text in ('no parameter "fed"', "no span of 7 minutes", 'feed "binance" does not read venue/SYMBOL'):
            assert shows(page, "#mistakes", text), text
        page.select_option("#minutes", "5")
        assert eventually(lambda: page.locator("#mistakes").is_hidden())


SIZES = {"1.50000000": "0.133634167398", "[0.5,0.00000001]": "[1474.05429000000461,12.000000000001]"}
SMALL = {"60000.": "0.000000060", "60001": "0.000000060999", "60010.5": "0.000000060133634167398"}
OPTION = '"deribit","symbol":"BTC-USD-20261225-100000-C"'
OVERHANG = "([node]) => node.getBoundingClientRect().right - node.parentNode.getBoundingClientRect().right"


def replaced(text: str, parts: dict[str, str]) -> str:
    for part, other in parts.items():
        text = text.replace(part, other)
    return text


@pytest.mark.parametrize("prices", [{"60010.5": "60010.133634167398"}, SMALL], ids=["large", "small"])
def test_numbers_of_any_length_fit(kafka_settings: Settings, page: Page, prices: dict[str, str]) -> None:
    topics = kafka_settings.topic_books, kafka_settings.topic_trades, kafka_settings.topic_funding
    for topic, text in zip(topics, (book(1, None), TRADE.replace("0.10", "1133634.167398"), FUNDING), strict=True):
        longer = replaced(text, SIZES | prices | {'"binance","symbol":"BTC-USDT"': OPTION})
        publish(kafka_settings.kafka_brokers, (topic.replace("{exchange}", "deribit"), longer))
    with serving(kafka_settings) as url:
        page.goto(f"{url}/#feed=deribit/BTC-USD-20261225-100000-C&base=BTC")
        assert eventually(lambda: shows(page, ".tape tbody", "1133634.167398") and shows(page, ".ladder", "1474.05"))
        for width in (320, 390, 768, 1024, 1280, 1366, 1920, 2560):
            page.set_viewport_size({"width": width, "height": 900})
            wide = [
                table
                for table in (".ladder", ".tape table", "#feeds")
                if page.eval_on_selector_all(table, OVERHANG) > 0.5
            ]
            assert (wide, width) == ([], width)
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_ladders_decimals_are_aligned_and_have_no_noise(kafka_settings: Settings, page: Page) -> None:
    put(kafka_settings, replaced(book(1, None), SIZES))
    with serving(kafka_settings) as url:
        page.goto(url)
        assert eventually(lambda: shows(page, ".ladder", "1474"))
        cells = page.locator(".ladder tbody:not(.touch) td").all_text_contents()
        rows = [cells[i : i + 3] for i in range(0, len(cells), 3)]
        assert rows == [
            ["60001.0", "12.0000", "1486.0543"],
            ["60000.3", "1474.0543", "1474.0543"],
            ["60000.1", "0.1336", "0.1336"],
            ["60000.0", "2.0000", "2.1336"],
        ]


def click(page: Page, selector: str) -> None:
    """As ``page.click``, which waits until nothing moves: on a busy machine that can take long."""
    page.locator(selector).first.evaluate("node => node.click()")


def choose(page: Page, selector: str, value: str) -> None:
    page.select_option(f".panel {selector}", value)


def span(page: Page) -> str:
    """From when to when the first panel's chart shows, as a screen reader reads it."""
    return page.locator(".panel .chart").first.get_attribute("aria-description") or ""


A_WEEK = "#feed=binance/BTC-USDT&base=BTC&minutes=10080&bar=3600"  # whose grid stands still for an hour


@pytest.fixture
def lively(kafka_settings: Settings) -> Settings:
    """120 trades within the running hour, which make candles, and a book of now."""
    now_ms = time.time_ns() // 1_000_000
    step_ms = min(1000, now_ms % 3_600_000 // 120)
    of_trades = kafka_settings.topic_trades.replace("{exchange}", "binance")
    trades = [
        TRADE.replace('"id":"7"', f'"id":"{n}"')
        .replace("60000.20", f"{60000 + n % 7}.20")
        .replace("0.10", f"{n % 5 + 1}.10")
        .replace("1700000000000", str(now_ms - (120 - n) * step_ms))
        for n in range(1, 120)
    ]
    publish(kafka_settings.kafka_brokers, *((of_trades, text) for text in trades))
    publish(kafka_settings.kafka_brokers, (kafka_settings.topic_books, book(1, None, received_ms=now_ms)))
    return kafka_settings


def test_candles_are_made_of_the_trades_that_arrive(lively: Settings, page: Page) -> None:
    with serving(lively) as url:
        page.goto(url + A_WEEK)
        assert eventually(lambda: shows(page, ".panel .legend", "H60006.2"))
        for text in ("L60000.2", "V", "buy100 %"):
            assert shows(page, ".panel .legend", text)
        assert page.locator(".panel .last").text_content() == "60000.20"


def test_trades_that_come_late_are_drawn_between_those_that_came_before(kafka_settings: Settings, page: Page) -> None:
    start_ms = time.time_ns() // 1_000_000 - 60_000
    topic = kafka_settings.topic_trades.replace("{exchange}", "binance")

    def trade(number: int, seconds: int) -> None:
        text = TRADE.replace('"id":"7"', f'"id":"{number}"').replace("60000.20", f"{60000 + number}.20")
        publish(kafka_settings.kafka_brokers, (topic, text.replace("1700000000000", str(start_ms + seconds * 1000))))

    with serving(kafka_settings) as url:
        page.goto(f"{url}/#feed=binance/BTC-USDT&base=BTC&minutes=5&bar=1")
        for number, seconds in ((1, 10), (2, 20), (3, 15), (4, 5), (5, 20)):
            trade(number, seconds)
            assert eventually(lambda number=number: shows(page, ".tape tbody", f"{60000 + number}.2"))  # type: ignore[misc]
            page.wait_for_timeout(1200)  # the chart is drawn once a second
        assert eventually(lambda: shows(page, ".panel .legend", "O60002.20H60005.20"))


@pytest.mark.parametrize("view", ["candles", "prices", "depth"])
def test_a_liquidation_without_a_price_beside_it_breaks_nothing(
    kafka_settings: Settings, page: Page, view: str
) -> None:
    now_ms = time.time_ns() // 1_000_000
    topic = kafka_settings.topic_liquidations.replace("{exchange}", "binance")
    orders = [
        LIQUIDATION.replace('"id":"7"', f'"id":"{n}"').replace("1700000000000", str(now_ms - n * 60_000))
        for n in range(9)
    ]
    publish(kafka_settings.kafka_brokers, *((topic, order) for order in orders))
    with serving(kafka_settings) as url:
        page.goto(f"{url}/#feed=binance/BTC-USDT&base=BTC&minutes=5")
        assert eventually(lambda: page.locator(".tape .liquidation").count() == 9)
        choose(page, ".view", view)
        publish(kafka_settings.kafka_brokers, (kafka_settings.topic_books, book(1, None, received_ms=now_ms)))
        assert eventually(lambda: shows(page, ".facts", "bid60000.1"))


@pytest.mark.parametrize("by", ["mouse", "keyboard", "touch"])
def test_a_chart_is_zoomed_moved_and_reset(lively: Settings, page: Page, by: str) -> None:
    finger = page.context.new_cdp_session(page)
    finger.send("Emulation.setTouchEmulationEnabled", {"enabled": by == "touch"})
    with serving(lively) as url:
        page.goto(url + A_WEEK)
        assert eventually(lambda: shows(page, ".panel .legend", "H60006.2"))
        page.locator(".panel .chart").press("0")
        whole = span(page)
        box = page.locator(".panel .chart").bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 4
        if by == "mouse":
            page.mouse.move(x, y)
            page.mouse.wheel(0, -400)
            page.mouse.down()
            page.mouse.move(x - 120, y, steps=5)
            page.mouse.up()
            page.mouse.move(0, 0)
        elif by == "keyboard":
            page.locator(".panel .chart").focus()
            for key in ("+", "+", "ArrowLeft"):
                page.keyboard.press(key)
        else:
            for kind, by_px in (("touchStart", 0), ("touchMove", -20), ("touchMove", -60), ("touchMove", -120)):
                point = [{"x": x + by_px, "y": y}]
                finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": point})
                page.wait_for_timeout(30)  # as a finger takes: what comes at once counts as one
            finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        assert eventually(lambda: span(page) != whole)

        def is_reset() -> bool:
            if by == "keyboard":
                page.keyboard.press("0")
            else:
                page.mouse.dblclick(x, y)  # on a busy machine the second click may come too late
            return span(page) == whole

        assert eventually(is_reset)


@pytest.mark.parametrize("view", ["prices", "depth"])
def test_another_view_of_a_feed_is_drawn_and_remembered(lively: Settings, page: Page, view: str) -> None:
    with serving(lively) as url:
        page.goto(f"{url}/#feed=binance/BTC-USDT&base=BTC&minutes=5")
        assert eventually(lambda: shows(page, ".panel .legend", "O60"))
        choose(page, ".view", view)
        choose(page, ".below", "all")
        assert eventually(lambda: shows(page, ".panel .legend", "bid60000.1"))
        for name in ("spread, bps", "imbalance", "order flow"):
            assert shows(page, ".panel .legend", name)
        page.reload()
        assert eventually(lambda: shows(page, ".panel .legend", "bid60000.1"))


def test_prices_are_grouped_in_ticks_and_small_trades_left_out(
    kafka_settings: Settings, warehouse: Client, empty: Settings, page: Page
) -> None:
    put_instrument(warehouse, "BTC-USDT", tick=0.1, step=0.00000001)
    small = TRADE.replace('"id":"7"', '"id":"8"').replace("0.10", "0.03")
    put(kafka_settings, book(1, None))
    publish(kafka_settings.kafka_brokers, (kafka_settings.topic_trades.replace("{exchange}", "binance"), small))
    where = {"clickhouse_url": empty.clickhouse_url, "clickhouse_database": empty.clickhouse_database}
    with serving(dataclasses.replace(kafka_settings, **where)) as url:
        page.goto(f"{url}/#feed=binance/BTC-USDT&base=BTC")
        assert eventually(lambda: page.locator(".panel .group option").count() > 1)
        choose(page, ".group", "10")
        assert eventually(lambda: page.locator(".ladder tbody:not(.touch) tr").count() == 2)
        assert page.locator(".ladder tbody:not(.touch) td").all_text_contents() == [
            *("60001", "0.50000001", "0.50000001"),
            *("60000", "3.50000000", "3.50000000"),
        ]
        assert page.locator(".tape tbody tr").count() == 3
        page.fill(".panel .least", "0.05")
        assert page.locator(".tape tbody tr").count() == 2
        page.fill(".panel .least", "5")
        assert page.locator(".tape tbody tr").all_text_contents() == [page.locator(".tape .liquidation").text_content()]


def test_feeds_are_grouped_and_favourites_come_first_also_after_a_reload(kafka_settings: Settings, page: Page) -> None:
    ether = book(1, None).replace("BTC-USDT", "ETH-USDT")
    put(kafka_settings, book(1, None), ether, ether.replace("binance", "okx"))

    def rows() -> list[str | None]:
        found = page.locator("#feeds tbody tr").all()
        return [row.get_attribute("data-feed") or row.text_content() for row in found]

    with serving(kafka_settings) as url:
        page.goto(url)
        assert eventually(lambda: len(rows()) == 3)
        page.select_option("#grouping", "asset")
        assert rows() == ["BTC", "binance/BTC-USDT", "ETH", "binance/ETH-USDT", "okx/ETH-USDT"]
        click(page, "#feeds tr[data-feed='okx/ETH-USDT'] .star")
        starred = ["favourites", "okx/ETH-USDT", "BTC", "binance/BTC-USDT", "ETH", "binance/ETH-USDT"]
        assert rows() == starred
        page.select_option("#grouping", "venue")
        assert rows() == ["favourites", "okx/ETH-USDT", "binance", "binance/BTC-USDT", "binance/ETH-USDT"]
        page.reload()
        assert eventually(lambda: len(rows()) == 5)
        assert rows()[:2] == starred[:2]
        page.locator("#feeds tr[data-feed='okx/ETH-USDT']").focus()
        page.keyboard.press("*")
        page.locator("#filter").focus()
        assert eventually(lambda: "favourites" not in rows())


FOUR = "#" + "&".join(f"feed={venue}/BTC-USDT" for venue in ("binance", "okx", "gate", "bybit")) + "&base=BTC"


def test_four_panels_are_seen_at_once_on_a_large_screen(kafka_settings: Settings, page: Page) -> None:
    page.set_viewport_size({"width": 1920, "height": 1080})
    put(kafka_settings, book(1, None))
    with serving(kafka_settings) as url:
        page.goto(url + FOUR)
        assert eventually(lambda: bid(page) == "60000.1" and page.locator(".panel").count() == 4)
        boxes = [panel.bounding_box() for panel in page.locator(".panel").all()]
        assert all(box and box["y"] + box["height"] <= 1080 and box["x"] + box["width"] <= 1920 for box in boxes)
        assert len({(box["x"], box["y"]) for box in boxes if box}) == 4
        heights = [chart.bounding_box() for chart in page.locator(".panel .chart").all()]
        assert all(box and box["height"] > 250 for box in heights)
        page.keyboard.press("l")
        roomy = page.locator(".panel").first.bounding_box()
        assert roomy is not None
        assert roomy["height"] > 540


SCROLLING = """() => [...document.querySelectorAll("body *")].filter((node) =>
    /auto|scroll/.test(getComputedStyle(node).overflowY) && node.scrollHeight > node.clientHeight + 1 &&
    node.clientHeight > 0).map((node) => node.className || node.id)"""


def test_a_phone_shows_prices_first_under_one_line_and_no_list_scrolls(kafka_settings: Settings, page: Page) -> None:
    page.set_viewport_size(PHONE)
    many = [book(1, None).replace("BTC-USDT", f"{name}-USDT") for name in "ABCDEFGHIJKLMNOP"]
    put(kafka_settings, book(1, None), *many)
    with serving(kafka_settings) as url:
        page.goto(url)
        assert eventually(lambda: bid(page) not in ("", "–") and page.locator("#feeds tr[data-feed]").count() == 17)
        header, row = page.locator("header").bounding_box(), page.locator("#feeds tbody tr").first.bounding_box()
        assert header is not None
        assert row is not None
        assert (header["height"] < 50, row["y"] < 140) == (True, True)
        assert page.locator("#feeds tr[data-feed]:visible").count() == 8
        click(page, "#all-feeds")
        assert page.locator("#feeds tr[data-feed]:visible").count() == 17
        assert page.evaluate(SCROLLING) == []
        assert page.locator("#minutes").is_hidden()
        click(page, "#more")
        assert page.locator("#minutes").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_signals_appear_as_they_come_and_lead_to_their_feed(kafka_settings: Settings, page: Page) -> None:
    put(kafka_settings, book(1, None), book(1, None, bid="60000.20").replace("binance", "okx"))
    with serving(kafka_settings) as url:
        page.goto(f"{url}/#feed=binance/BTC-USDT&base=BTC")
        assert eventually(lambda: bid(page) == "60000.1")
        publish(kafka_settings.kafka_brokers, (kafka_settings.topic_signals, SIGNAL.replace("binance", "okx")))
        assert eventually(lambda: shows(page, "#signals tbody", "imbalanceokx BTC-USDTbid0.91 share0.8 share"))
        click(page, "#signals .link")
        assert eventually(lambda: bid(page) == "60000.2")


def test_open_interest_is_shown_where_there_is_any(kafka_settings: Settings, page: Page) -> None:
    topic = kafka_settings.topic_open_interest.replace("{exchange}", "binance")
    put(kafka_settings, book(1, None))
    publish(kafka_settings.kafka_brokers, (topic, OPEN_INTEREST))
    with serving(kafka_settings) as url:
        page.goto(url)
        assert eventually(lambda: shows(page, ".facts", "open interest1234.5"))


def test_the_pipeline_shows_stages_hours_and_checks_with_links_into_dagster(
    warehouse: Client, empty: Settings, webserver: str, page: Page
) -> None:
    now = time.time_ns()
    put_trades(warehouse, {"at": now - 10**9, "id": "1"}, {"at": now - 2 * 10**9, "id": "2"})
    costs = {"hour": HOUR, "part": "spread_hourly", "seconds": 1.5, "rows": 10, "bytes": 0}
    warehouse.insert("_costs", [list(costs.values())], column_names=list(costs))
    settings = dataclasses.replace(empty, kafka_brokers="127.0.0.1:1", dagster_url=webserver)
    with serving(settings) as url:
        page.goto(url)
        page.locator("#pipeline").scroll_into_view_if_needed()
        assert eventually(lambda: shows(page, "#stages tbody", "binance2100"))
        assert shows(page, "#built", "2024-08-08 22:00")
        assert shows(page, "#dagster", "2 complete hours are not built")
        link = page.locator("#dagster a", has_text="book_is_not_crossed of spread_hourly: 3 hours")
        assert link.get_attribute("href") == (
            f"{webserver}/assets/spread_hourly?view=checks&checkDetail=book_is_not_crossed"
        )
        assert page.locator("#dagster-links a").first.get_attribute("href") == f"{webserver}/runs"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, {"width": 1366, "height": 768}, {"width": 1920, "height": 1080}])
def test_axe_finds_nothing_serious(
    lively: Settings, page: Page, scheme: Literal["light", "dark"], size: ViewportSize
) -> None:
    axe = pytest.importorskip("axe_playwright_python.base", reason="axe-playwright-python is not installed (extra dev)")
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=scheme)
    put(lively, book(1, None).replace("binance", "okx"))
    publish(lively.kafka_brokers, (lively.topic_signals, SIGNAL), (lively.topic_stats, STATS))
    with serving(lively) as url:
        page.goto(f"{url}/{FOUR}")
        assert eventually(
            lambda: shows(page, "#connections tbody", "binance-1") and shows(page, "#signals", "imbalance")
        )
        assert eventually(lambda: page.locator("#feeds tr[data-feed]").count() == 2)
        page.evaluate(axe.AXE_SCRIPT)
        found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
        serious = {
            rule["id"]: [(node["html"][:120], node["failureSummary"][:200]) for node in rule["nodes"][:3]]
            for rule in found
            if rule["impact"] in ("serious", "critical")
        }
        assert serious == {}


def moves(page: Page) -> bool:
    """Whether the best bid changes within a while."""
    before = bid(page)
    return eventually(lambda: bid(page) not in ("", "–", before), seconds=20)


def test_a_whole_line_is_watched_through_a_restart_of_its_broker(tmp_path: Path, page: Page) -> None:
    """Simulated exchanges, their collectors, the broker and the page: all as in the demo, but for the warehouse."""
    with contextlib.ExitStack() as brokers:  # they outlive the collectors, which hand over what they still have
        broker = brokers.enter_context(start_broker(tmp_path))
        settings = Settings(kafka_brokers=broker.brokers, clickhouse_url=NO_WAREHOUSE)
        with market(settings, ("binance", "BTC-USDT"), ("okx", "BTC-USDT")), serving(settings) as url:
            page.goto(f"{url}/#feed=binance/BTC-USDT&base=BTC")
            assert moves(page)
            page.select_option(".panel .venue", "okx")
            assert eventually(lambda: shows(page, ".panel .state", "valid"))
            assert moves(page)
            broker.stop()
            assert eventually(lambda: shows(page, "#banner", "broker unreachable since"))
            brokers.enter_context(start_broker(tmp_path, port=broker.port))
            assert eventually(lambda: shows(page, "#banner", "broker answers again"))
            assert moves(page)
            assert shows(page, "#notices", "broker answers again")


def test_a_page_server_that_comes_back_is_found_again(kafka_settings: Settings, page: Page) -> None:
    put(kafka_settings, book(1, None))
    with serving(kafka_settings) as url:
        page.goto(url)
        assert eventually(lambda: bid(page) == "60000.1")
    assert eventually(lambda: shows(page, "#banner", "page cut off"))
    with serving(kafka_settings, port=int(url.rpartition(":")[2])):
        assert eventually(lambda: shows(page, "#banner", "page answers again"))
