import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from mdplatform.core.clock import SystemClock
from mdplatform.core.errors import FeedError, RestError
from mdplatform.core.session import Request
from mdplatform.feed.rate_limit import Budget
from mdplatform.feed.rest import ATTEMPTS, RestClient
from mdplatform_tests.eventually import eventually

Answer = Callable[[web.Request], web.Response | Awaitable[web.StreamResponse]]


@asynccontextmanager
async def client(
    answer: Answer, budget: Budget | None = None, header: str | None = None, attempts: int = ATTEMPTS
) -> AsyncIterator[RestClient]:
    """A client of a loopback server in which ``answer`` answers every path."""

    async def handle(request: web.Request) -> web.StreamResponse:
        answered = answer(request)
        return answered if isinstance(answered, web.Response) else await answered

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with RestClient(url, budget or Budget(1000, 60.0), SystemClock(), header, attempts) as rest:
        yield rest
    await runner.cleanup()


def in_turn(*answers: web.Response | Answer) -> Answer:
    """Each answer once, the last one forever."""
    left = list(answers)

    def answer(request: web.Request) -> web.Response | Awaitable[web.StreamResponse]:
        given = left.pop(0) if len(left) > 1 else left[0]
        return given(request) if callable(given) else given

    return answer


def ok(request: web.Request) -> web.Response:
    return web.Response(text=request.path_qs)


async def test_the_body_of_the_path_is_returned() -> None:
    async with client(ok) as rest:
        assert await rest.get(Request("/depth?symbol=BTCUSDT&limit=5")) == b"/depth?symbol=BTCUSDT&limit=5"


async def test_a_request_with_a_body_is_a_post_of_json() -> None:
    async def echo(request: web.Request) -> web.Response:
        return web.Response(text=f"{request.method} {request.content_type} {await request.text()}")

    async with client(echo) as rest:
        assert await rest.get(Request("/info", body=b'{"type":"meta"}')) == b'POST application/json {"type":"meta"}'


async def test_a_server_error_is_tried_again() -> None:
    async with client(in_turn(web.Response(status=503), ok)) as rest:
        assert await rest.get(Request("/x")) == b"/x"


async def test_a_client_error_is_not_tried_again() -> None:
    async with client(in_turn(web.Response(status=400), ok)) as rest:
        with pytest.raises(RestError, match="HTTP 400 from /x"):
            await rest.get(Request("/x"))


async def test_nobody_there_is_an_outcome_too(unused_tcp_port: int) -> None:
    async with RestClient(f"http://127.0.0.1:{unused_tcp_port}", Budget(10, 1.0), SystemClock(), attempts=1) as rest:
        with pytest.raises(FeedError, match="no answer"):
            await rest.get(Request("/x"))


async def test_everything_waits_for_retry_after() -> None:
    times: list[float] = []
    loop = asyncio.get_running_loop()

    def refuse_once(request: web.Request) -> web.Response:
        times.append(loop.time())
        return web.Response(status=429, headers={"Retry-After": "1"}) if len(times) == 1 else ok(request)

    async with client(refuse_once) as rest:
        assert await rest.get(Request("/a")) == b"/a"
        assert await rest.get(Request("/b")) == b"/b"
    assert times[1] - times[0] >= 0.95


async def test_other_requests_wait_while_one_was_refused() -> None:
    async with client(in_turn(web.Response(status=418, headers={"Retry-After": "600"}), ok)) as rest:
        rest.submit(Request("/a"), lambda *outcome: None)
        await eventually(lambda: rest.budget.wait_s(0) > 0)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(rest.get(Request("/b")), 0.2)


async def test_an_absurd_wait_is_none_and_a_long_one_is_cut() -> None:
    answers = [web.Response(status=429, headers={"Retry-After": value}) for value in ("9" * 5000, "172800")]
    for answer, longest_s in zip(answers, (30.0, 600.0), strict=True):
        async with client(in_turn(answer, ok)) as rest:
            rest.submit(Request("/a"), lambda *outcome: None)
            await eventually(lambda rest=rest: rest.budget.wait_s(0) > 0)
            assert longest_s - 5 < rest.budget.wait_s(0) <= longest_s
            assert rest.limits_met == 1


@pytest.mark.parametrize("used", ["9" * 5000, "\u00b2"])
async def test_a_stated_weight_that_is_no_number_is_passed_over(used: str) -> None:
    async with client(in_turn(web.Response(headers={"X-Used": used}, text="fine")), header="X-Used") as rest:
        assert await rest.get(Request("/x")) == b"fine"


async def test_the_weight_the_venue_states_is_counted() -> None:
    async with client(in_turn(web.Response(headers={"X-Used": "700"})), header="X-Used") as rest:
        await rest.get(Request("/x", weight=20))
        assert rest.budget.used == 700


async def test_the_budget_delays_requests() -> None:
    loop = asyncio.get_running_loop()
    async with client(ok, Budget(10, 0.3)) as rest:
        began = loop.time()
        await asyncio.gather(rest.get(Request("/a", weight=10)), rest.get(Request("/b", weight=10)))
        assert loop.time() - began >= 0.29


async def test_the_urgent_request_goes_first() -> None:
    order: list[str] = []
    done = asyncio.Event()

    def handler(request: Request, status: int, body: bytes, received_ns: int) -> None:
        order.append(request.path)
        if len(order) == 3:
            done.set()

    async with client(ok, Budget(1, 0.05)) as rest:
        rest.budget.take(1)
        rest.submit(Request("/later"), handler, priority=5)
        rest.submit(Request("/soon"), handler, priority=1)
        rest.submit(Request("/soon-too"), handler, priority=1)
        async with asyncio.timeout(5):
            await done.wait()
    assert order == ["/soon", "/soon-too", "/later"]


async def test_a_request_may_name_another_address_of_the_venue() -> None:
    async with client(ok) as rest, RestClient("http://127.0.0.1:9", Budget(10, 1.0), SystemClock()) as other:
        assert await other.get(Request("/list", base_url=rest.base_url)) == b"/list"


async def test_a_replaced_address_takes_every_request() -> None:
    async with (
        client(ok) as there,
        RestClient(there.base_url, Budget(10, 1.0), SystemClock(), only=True) as rest,
    ):
        assert await rest.get(Request("/list", base_url="http://127.0.0.1:9")) == b"/list"


async def test_headers_of_a_venue_go_with_each_request() -> None:
    def told(request: web.Request) -> web.Response:
        return web.Response(text=request.headers.get("X-Form", "none"))

    async with (
        client(told) as plain,
        RestClient(plain.base_url, Budget(10, 1.0), SystemClock(), headers={"X-Form": "decimal"}) as headed,
    ):
        assert [await plain.get(Request("/list")), await headed.get(Request("/list"))] == [b"none", b"decimal"]


async def test_a_redirect_is_not_followed() -> None:
    asked: list[str] = []

    def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=302, headers={"Location": "/secret"}) if request.path == "/list" else ok(request)

    async with client(answer, attempts=1) as rest:
        with pytest.raises(FeedError, match="redirects are not followed"):
            await rest.get(Request("/list"))
    assert asked == ["/list"]


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    with contextlib.suppress(ConnectionError):
        while True:
            await response.write(b"0" * 1024 * 1024)
    return response


def bomb(request: web.Request) -> web.Response:
    packed = gzip.compress(b"0" * 80 * 1024 * 1024, 9)
    return web.Response(body=packed, headers={"Content-Encoding": "gzip"})


@pytest.mark.parametrize("answer", [endless, bomb], ids=["endless", "inflated"])
async def test_an_answer_without_end_is_not_read_to_its_end(answer: Answer) -> None:
    async with client(answer, attempts=1) as rest:
        with pytest.raises(FeedError, match="longer than 8 MiB"):
            await rest.get(Request("/depth"))


async def test_a_header_of_absurd_length_is_an_outcome_too() -> None:
    async with client(lambda request: web.Response(headers={"Retry-After": "9" * 5000}), attempts=1) as rest:
        await rest.get(Request("/depth"))
