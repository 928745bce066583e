"""What was asked of one connection, what of it the venue confirmed, and how often it may still be asked."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from mdplatform.clock import SECOND
from mdplatform.liveness import Liveness
from mdplatform.session import Output, Reconnect, Send
from mdplatform.venues.okx.wire import Arg, Envelope

Verb = Literal["subscribe", "unsubscribe"]

REQUESTS_AN_HOUR = 470  # the venue allows a connection 480
_ARGS_A_REQUEST = 300  # of at most 64 KB
_HOUR_NS = 3600 * SECOND
# After a refusal of one argument: whether the others were taken shows within this time.
_SETTLED_NS = 3 * SECOND
_NAMED = re.compile(r"channel\s*[:=]\s*([\w-]+)\s*,\s*inst(?:Id|Type)\s*[:=]\s*([\w-]+)")


@dataclass
class _Request:
    verb: Verb
    open: dict[Arg, None]  # neither confirmed nor refused, in the order asked
    refused_ns: int | None = None  # when the venue refused a part of it
    named: list[Arg] = field(default_factory=list)  # what it refused by name


class Subscriptions:
    """Requests by their ids. One bad argument must not cost the others: what a refusal does not name is asked again."""

    def __init__(self, live: Liveness) -> None:
        self._live = live
        self._requests: dict[str, _Request] = {}
        self._number = 0
        self._sent_ns: deque[int] = deque()

    def connected(self) -> None:
        self._requests.clear()
        self._sent_ns.clear()

    def ask(self, verb: Verb, args: list[Arg], now_ns: int) -> list[Output]:
        """The frames that ask; a reconnect instead, where the hour's requests are spent."""
        out: list[Output] = []
        while self._sent_ns and now_ns - self._sent_ns[0] > _HOUR_NS:
            self._sent_ns.popleft()
        for start in range(0, len(args), _ARGS_A_REQUEST):
            if len(self._sent_ns) >= REQUESTS_AN_HOUR:
                return [Reconnect("requests_spent", overlap=True)]
            part = args[start : start + _ARGS_A_REQUEST]
            self._number += 1
            name = str(self._number)
            self._requests[name] = _Request(verb, dict.fromkeys(part))
            self._sent_ns.append(now_ns)
            self._live.awaits(name, now_ns)
            out.append(Send(msgspec.json.encode({"id": name, "op": verb, "args": part})))
        return out

    def confirmed(self, reply: Envelope) -> None:
        """One argument was taken. Replies name their request, those of 2022 did not."""
        if reply.arg is None:
            return
        names = [reply.id] if reply.id is not None else list(self._requests)
        for name in names:
            request = self._requests.get(name)
            if request is not None and request.verb == reply.event and reply.arg in request.open:
                del request.open[reply.arg]
                self._settle(name)
                return

    def refused(self, reply: Envelope, now_ns: int) -> tuple[list[Arg], list[Arg]]:
        """(arguments refused for good, what was still open when the refusal came)."""
        texts = set(_NAMED.findall(reply.msg or ""))
        name = self._name_of(reply, texts)
        request = self._requests.get(name)
        if request is None:
            return [], []
        self._live.acknowledged(name)
        asked = list(request.open)
        named = [arg for arg in asked if _text(arg) in texts]
        refused = named or (asked if len(asked) == 1 or request.verb == "unsubscribe" else [])
        for arg in refused:
            del request.open[arg]
        request.named += named
        request.refused_ns = now_ns
        self._settle(name)
        return refused if request.verb == "subscribe" else [], asked

    def tick(self, now_ns: int) -> list[Output]:
        """Ask again for what a refused request left open; in halves where the refusal named nothing."""
        out: list[Output] = []
        for name, request in list(self._requests.items()):
            if request.refused_ns is None or now_ns - request.refused_ns < _SETTLED_NS:
                continue
            del self._requests[name]
            args = list(request.open)
            middle = 0 if request.named else len(args) // 2
            for part in (args[:middle], args[middle:]):
                out += self.ask(request.verb, part, now_ns)
        return out

    def _name_of(self, reply: Envelope, texts: set[tuple[str, str]]) -> str:
        """The request that a refusal is about: by its id or, where it has none, by what it names; "" for none."""
        if reply.id is not None:
            return reply.id
        holding = (name for name, request in self._requests.items() if any(_text(arg) in texts for arg in request.open))
        return next(holding, "")

    def _settle(self, name: str) -> None:
        """Forget a request of which nothing is open."""
        if not self._requests[name].open:
            del self._requests[name]
            self._live.acknowledged(name)


def _text(arg: Arg) -> tuple[str, str]:
    """As a refusal names it."""
    return arg.channel, arg.instId or arg.instType or ""
