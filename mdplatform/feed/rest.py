"""REST calls to one venue: one weight budget for the process, a priority queue, retries of temporary failures.

Nothing here blocks a socket: a request is submitted, its outcome is handed to a callback.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import logging
from collections.abc import Callable, Coroutine, Mapping
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import aiohttp

from mdplatform.core.clock import Clock
from mdplatform.core.errors import FeedError, RestError, is_retryable
from mdplatform.core.session import Request
from mdplatform.core.settings import hide
from mdplatform.feed.backoff import Backoff, retry_after_s
from mdplatform.feed.connection import LOOPBACK
from mdplatform.feed.rate_limit import Budget

log = logging.getLogger(__name__)

TIMEOUT = aiohttp.ClientTimeout(total=20.0, sock_connect=5.0)
ATTEMPTS = 5
AT_ONCE = 4
# How long to wait when a venue limits us without stating for how long: 418 is a ban of at least minutes.
WAIT_S = {429: 30.0, 418: 120.0}
# The largest lists of instruments are some 20 MB, the deepest snapshots half a MB. What is longer, inflated, is not
# read to its end: an exchange that is broken or hostile must not fill the memory.
LARGEST_LIST, LARGEST_ANSWER = 64 * 1024**2, 8 * 1024**2
LONGEST_NUMBER = 9  # digits of the spent units that a venue may state

Handler = Callable[[Request, int, bytes, int], None]
"""Called with the request, the HTTP status (0: no answer, the body states why), the body and the receive time in ns."""


class _Unusable(Exception):
    """An answer that is treated as no answer; the text states why."""


class _Job:
    def __init__(self, request: Request, handler: Handler, rank: tuple[int, int]) -> None:
        self.request, self.handler, self.rank = request, handler, rank
        self.backoff = Backoff(base_s=0.5, cap_s=10.0)

    def __lt__(self, other: _Job) -> bool:
        return self.rank < other.rank


class RestClient:
    """Calls to ``base_url``; an async context. ``used_weight_header``: where the venue states what was spent.

    ``only``: all calls go to ``base_url``, those that name another address too. ``headers`` go with each.
    """

    def __init__(
        self,
        base_url: str,
        budget: Budget,
        clock: Clock,
        used_weight_header: str | None = None,
        attempts: int = ATTEMPTS,
        only: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.budget = budget
        self._clock = clock
        self._used_weight_header = used_weight_header
        self._attempts = attempts
        self._only = only
        self._headers = headers
        self._queue: list[_Job] = []
        self._order = itertools.count()
        self._arrived = asyncio.Event()
        self._free = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self.limits_met = 0  # answers by which the venue limits us: HTTP 429 and 418

    async def __aenter__(self) -> Self:
        proxied = urlsplit(self.base_url).hostname not in LOOPBACK
        self._http = aiohttp.ClientSession(timeout=TIMEOUT, trust_env=proxied, headers=self._headers)
        self._spawn(self._dispatch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._http.close()

    def submit(self, request: Request, handler: Handler, priority: int = 0) -> None:
        """Make this request when the budget allows, lower ``priority`` first; ``handler`` gets its outcome once."""
        self._enqueue(_Job(request, handler, (priority, next(self._order))))

    async def get(self, request: Request) -> bytes:
        """The body of the answer; raises RestError for an HTTP error, FeedError when there is no answer."""
        outcome: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()

        def settle(request: Request, status: int, body: bytes, received_ns: int) -> None:
            if not outcome.done():
                outcome.set_result((status, body))

        self.submit(request, settle)
        status, body = await outcome
        if status == 0:
            raise FeedError(f"no answer from {hide(self._url(request))}: {body.decode(errors='replace')}")
        if status >= 400:
            raise RestError(request.path, status)
        return body

    def _enqueue(self, job: _Job) -> None:
        heapq.heappush(self._queue, job)
        self._arrived.set()

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _dispatch(self) -> None:
        """Start the most urgent request whenever one fits; looks again when a more urgent one arrives meanwhile."""
        while True:
            await self._free.acquire()
            while not self._queue or (wait := self.budget.wait_s(self._queue[0].request.weight)) > 0:
                self._arrived.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._arrived.wait(), wait if self._queue else None)
            job = heapq.heappop(self._queue)
            self.budget.hold(job.request.weight)
            self._spawn(self._perform(job))

    async def _perform(self, job: _Job) -> None:
        try:
            status, body, error = await self._fetch(job.request)
        finally:
            self.budget.settle(job.request.weight)
            self._free.release()
        if error is not None and is_retryable(error) and job.backoff.failures < self._attempts - 1:
            asked_s = (error.retry_after_s or 0.0) if isinstance(error, RestError) else 0.0
            delay = max(job.backoff.next_s(), asked_s)
            log.warning("%s; trying again in %.1f s", error, delay)
            await asyncio.sleep(delay)
            self._enqueue(job)
            return
        job.handler(job.request, status, body, self._clock.now_ns())

    async def _fetch(self, request: Request) -> tuple[int, bytes, FeedError | None]:
        verb, headers = ("GET", None) if request.body is None else ("POST", {"Content-Type": "application/json"})
        url = self._url(request)
        try:
            # A redirect could lead to any address, those of this machine's own services among them.
            asked = self._http.request(verb, url, data=request.body, headers=headers, allow_redirects=False)
            async with asked as response:
                body = await _bounded(response, LARGEST_LIST if request.purpose == "instruments" else LARGEST_ANSWER)
                if 300 <= response.status < 400:
                    raise _Unusable(f"HTTP {response.status}: redirects are not followed")
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, _Unusable) as error:
            text = f"{type(error).__name__} {error}".rstrip() if not isinstance(error, _Unusable) else str(error)
            return 0, text.encode(), FeedError(f"{verb} {hide(url)}: {text}")
        self._observe(response.headers.get(self._used_weight_header or "", ""))
        if response.status < 400:
            return response.status, body, None
        retry_after = retry_after_s(response.headers.get("Retry-After"))
        if response.status in WAIT_S:
            self.limits_met += 1
            self.budget.block(retry_after if retry_after is not None else WAIT_S[response.status])
        return response.status, body, RestError(request.path, response.status, retry_after)

    def _url(self, request: Request) -> str:
        elsewhere = None if self._only else request.base_url
        return (elsewhere or self.base_url) + request.path

    def _observe(self, used: str) -> None:
        if used.isascii() and used.isdigit() and len(used) <= LONGEST_NUMBER:
            self.budget.observe(int(used))


async def _bounded(response: aiohttp.ClientResponse, most: int) -> bytes:
    """The inflated body; raises _Unusable when it is longer than ``most`` bytes."""
    parts, length = [], 0
    async for part in response.content.iter_any():
        length += len(part)
        if length > most:
            response.close()
            raise _Unusable(f"the answer is longer than {most // 1024**2} MiB")
        parts.append(part)
    return b"".join(parts)
