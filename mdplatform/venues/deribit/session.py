"""One connection to Deribit: the calls we make and their answers."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from mdplatform.clock import SECOND
from mdplatform.errors import FrameError
from mdplatform.market import Markets
from mdplatform.session import REFUSALS, Channel, Credentials, Output, Reconnect, Request, refused
from mdplatform.symbols import Instruments
from mdplatform.venues.deribit import wire
from mdplatform.venues.deribit.calls import Call, Calls, Login
from mdplatform.venues.deribit.channels import ACKNOWLEDGES, EXCHANGE, channels_of, needs_login, stream
from mdplatform.venues.deribit.market import DeribitMarket
from mdplatform.venues.deribit.notifications import Notifications
from mdplatform.venues.deribit.polling import begins_poll

HEARTBEAT_S = 10  # the shortest that the venue offers
SILENCE_NS = 25 * SECOND
SHORTEST_LOGIN_S = 900  # where a token does not say how long it lasts
CHANNELS_A_CALL = 400  # 500 are allowed
CALL_EVERY_NS = SECOND  # it takes about 3 subscriptions a second from one address, which may have several connections
NOT_BY_PARTS = (10028, 13009, 13778)  # too many requests, unauthorized, raw needs a login: nothing to find by halving


class DeribitSession(Notifications):
    """With ``credentials`` it logs in before it subscribes. Also reads recordings."""

    def __init__(
        self,
        instruments: Instruments,
        channels: tuple[Channel, ...],
        depth: int,
        credentials: Credentials | None = None,
    ) -> None:
        markets = Markets(instruments, lambda instrument: DeribitMarket(instrument, channels, depth))
        super().__init__(EXCHANGE, markets, SILENCE_NS)
        self._wanted = _streams(instruments, channels)
        self._calls = Calls()
        self._login = None if credentials is None else Login(credentials)
        self._may_ask = True  # False until a login is answered
        self._due: deque[tuple[str, ...]] = deque()  # channels of subscriptions to come
        self._next_call_ns = 0
        self._reads = {}

    # --- what we say

    def subscribe(self, now_ns: int) -> list[Output]:
        self._calls.connected()
        names = self._wanted
        self._due = deque(tuple(names[i : i + CHANNELS_A_CALL]) for i in range(0, len(names), CHANNELS_A_CALL))
        self._next_call_ns = 0
        out = self._call("public/set_heartbeat", {"interval": HEARTBEAT_S}, now_ns)
        if self._login is None:
            return out + self.renew(now_ns)
        self._may_ask = False
        self._login.forget()
        return out + self._call("public/auth", self._login.params(), now_ns)

    def tick(self, now_ns: int) -> list[Output]:
        out: list[Output] = []
        if self._login is not None and self._login.is_due(now_ns):
            out = self._call("public/auth", self._login.params(), now_ns)
        return super().tick(now_ns) + out + self.renew(now_ns)

    def renew(self, now_ns: int) -> list[Output]:
        """The next subscription, or a new one of each book that was lost, when the venue's limit allows."""
        if not self._may_ask or 0 < self._next_call_ns - now_ns <= CALL_EVERY_NS:
            return []
        if self._due:
            self._next_call_ns = now_ns + CALL_EVERY_NS
            return self._about("public/subscribe", self._due.popleft(), now_ns)
        lost = {name: market for market in self.markets if (name := market.lost_book(now_ns)) is not None}
        if not lost:
            return []
        self._next_call_ns = now_ns + CALL_EVERY_NS
        names = tuple(lost)[:CHANNELS_A_CALL]
        for name in names:
            lost[name].stream.awaits(now_ns)
        return [out for verb in ("unsubscribe", "subscribe") for out in self._about(f"public/{verb}", names, now_ns)]

    def _about(self, method: str, channels: tuple[str, ...], now_ns: int) -> list[Output]:
        return self._call(method, {"channels": channels}, now_ns, channels)

    def _call(self, method: str, params: dict[str, Any], now_ns: int, channels: tuple[str, ...] = ()) -> list[Output]:
        call_id, send = self._calls.make(method, params, channels)
        self.live.awaits(call_id, now_ns)
        return [send]

    # --- what we are told

    def shown(self, frame: bytes) -> bytes:
        return frame if self._login is None else self._login.hidden(frame)

    def refuse(self, error: Exception, frame: bytes, received_ns: int) -> list[Output]:
        return super().refuse(error, self.shown(frame), received_ns)

    def read_trades(self, market: DeribitMarket, body: bytes, received_ns: int) -> list[Output]:
        return self.traded(wire.read_trade_list(body).result.trades, market, body, received_ns, "rest")

    def answer(self, request: Request, status: int, body: bytes, received_ns: int) -> list[Output]:
        poll = next((m.poll for m in self.markets if m.poll is not None and m.poll.owns(request)), None)
        if poll is None:
            return super().answer(request, status, body, received_ns)
        poll.answered(received_ns)
        if status != 200:
            return []
        try:
            listed = wire.read_trade_list(body).result
            rows = wire.in_order(listed.trades)
            if not rows or not poll.reached(rows[-1].trade_seq, listed.has_more, received_ns):
                return []
            return self.traded(listed.trades, None, body, received_ns, "rest")
        except REFUSALS as error:
            return self.refuse(error, body, received_ns)

    def recall(self, path: str, body: bytes, received_ns: int) -> list[Output] | None:
        """On a tape: trades that a poll began with gave no event then, and give none now."""
        if not begins_poll(path):
            return super().recall(path, body, received_ns)
        try:
            wire.read_trade_list(body)
        except REFUSALS as error:
            return self.refuse(error, body, received_ns)
        return self.count("latest_trades")

    def read(self, frame: bytes, received_ns: int) -> list[Output]:
        read = self.familiar(frame)
        return self._unfamiliar(frame, received_ns) if read is None else read(frame, received_ns)

    def _unfamiliar(self, frame: bytes, received_ns: int) -> list[Output]:
        """A frame whose channel is new, or that belongs to none."""
        message = wire.read_envelope(frame)
        if message.method == "subscription":
            return self.notified(wire.read_named(message.params).channel, frame, received_ns)
        if message.method == "heartbeat":
            self.count("heartbeat")
            must_answer = wire.read_beat(message.params).type == "test_request"
            return self._call("public/test", {}, received_ns) if must_answer else []
        call = None if message.id is None else self._calls.answered(message.id)
        self.live.acknowledged(str(message.id))
        if message.error is not None:
            return self._refused(call, message.error, frame, received_ns)
        if message.method is not None or not bytes(message.result):
            raise FrameError("unknown_message", "neither a notification that is documented nor an answer")
        return self._answered(call, bytes(message.result), frame, received_ns)

    def _answered(self, call: Call | None, result: bytes, frame: bytes, received_ns: int) -> list[Output]:
        """``call`` is None in a recording: the shape of the result tells what it is."""
        start = result.lstrip()[:1]
        if start == b"[" and result.lstrip()[1:].lstrip()[:1] == b"{":
            return self.listed(wire.read_instruments(EXCHANGE, frame), received_ns)
        if start == b"[":
            return self._acknowledged(call, wire.read_names(result), frame, received_ns)
        if start != b"{":
            return self.count("acknowledgement")
        answer = wire.read_result(result)
        if answer.trades is not None:
            return self.traded(answer.trades, None, frame, received_ns, "rest")
        if answer.access_token is not None:
            return self._logged_in(answer, received_ns)
        return self.count("acknowledgement" if answer.change_id is None else "order_book")

    def _acknowledged(self, call: Call | None, names: list[str], frame: bytes, received_ns: int) -> list[Output]:
        """The channels that are subscribed now; those that the venue does not know it passes over in silence."""
        self.count("acknowledgement")
        if call is not None and call.method == "public/unsubscribe":
            return []
        taken = dict.fromkeys(tuple(name.split(".")[:2]) for name in names)
        out: list[Output] = []
        for market in self.markets:
            for head, kinds in ACKNOWLEDGES.items():
                if (head, market.venue_symbol) in taken:
                    out += [event for kind in kinds for event in market.acknowledged(kind, received_ns)]
        missing = {} if call is None else dict.fromkeys(call.channels)
        for name in names:
            missing.pop(name, None)
        if missing:
            problem = FrameError("venue_error", f"not subscribed by the venue: {_some([*missing])}")
            out.append(refused(problem, EXCHANGE, frame, received_ns, self.conn))
        return out

    def _refused(self, call: Call | None, error: wire.Error, frame: bytes, received_ns: int) -> list[Output]:
        asked = "" if call is None else f"{call.method}: "
        about = "" if call is None or not call.channels else f"; asked for: {_some(call.channels)}"
        problem = FrameError("venue_error", f"{asked}code {error.code}: {error.message}{about}")
        out = self.refuse(problem, frame, received_ns)
        if call is None:
            return out
        if call.method == "public/auth":
            return out + self._not_logged_in(received_ns)
        if call.method == "public/subscribe" and len(call.channels) > 1 and error.code not in NOT_BY_PARTS:
            # One bad channel has the whole call refused: it is found by halving, the others are subscribed.
            half = len(call.channels) // 2
            self._due.extend((call.channels[:half], call.channels[half:]))
        return out

    def _logged_in(self, answer: wire.Result, received_ns: int) -> list[Output]:
        self.count("login")
        if self._login is None:
            return []
        self._login.granted(answer.refresh_token, answer.expires_in or SHORTEST_LOGIN_S, received_ns)
        self._may_ask = True
        return self.renew(received_ns)

    def _not_logged_in(self, now_ns: int) -> list[Output]:
        """A refresh that failed is followed by a whole login; a login that failed matters to raw channels only."""
        if self._login is not None and self._login.was_refresh:
            return self._call("public/auth", self._login.params(), now_ns)
        if any(map(needs_login, self._wanted)):
            return [Reconnect("login_refused")]
        self._may_ask = True
        return self.renew(now_ns)


def _streams(instruments: Instruments, channels: tuple[Channel, ...]) -> list[str]:
    """The names to subscribe to, each once."""
    names = (stream(c, row.venue_symbol) for row in instruments for c in channels_of(row, channels))
    return list(dict.fromkeys(names))


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more
