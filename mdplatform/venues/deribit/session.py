"""One connection to Deribit: the notifications that it brings, the calls we make and their answers.

A channel that is held already brings no snapshot when it is subscribed again: its subscription has to be ended first
(probed in autumn 2026). A channel that does not exist is left out of ``result`` without an error (probed), one that
needs a login has the whole call refused (reported in September 2026). An address may make 3.3 subscriptions a second
and ten at once, of 500 channels each; too many requests end the session (documented).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec

from mdplatform.core.clock import MS, SECOND
from mdplatform.core.errors import FrameError
from mdplatform.core.events import Provenance
from mdplatform.core.session import REFUSALS, Channel, ChannelKind, Credentials, Output, Reconnect, Request, refused
from mdplatform.core.symbols import Instruments, Kind
from mdplatform.venuekit.base_session import Read, SocketSession
from mdplatform.venuekit.index_prices import IndexPrices
from mdplatform.venuekit.market import Markets
from mdplatform.venuekit.subscriptions import Subscriptions, Terms, Verb, some
from mdplatform.venues.deribit import wire
from mdplatform.venues.deribit.calls import Calls, Login
from mdplatform.venues.deribit.channels import (
    BRINGS,
    EXCHANGE,
    PRICE_INDEX,
    VOLATILITY,
    channels_of,
    index_of,
    needs_login,
    stream,
)
from mdplatform.venues.deribit.instruments import read_instruments
from mdplatform.venues.deribit.market import DeribitMarket, begins_poll

# First parts of documented channels that give no event here; a recording may hold them.
_UNUSED = (
    "announcements block_rfq block_trade_confirmations chart deribit_price_ranking deribit_price_statistics "
    "estimated_expiration_price incremental_ticker instrument markprice platform_state rfq user"
)
_IGNORED = frozenset(_UNUSED.split())
INDICES = (PRICE_INDEX.name, VOLATILITY.name)


class Notifications(SocketSession[DeribitMarket]):
    """The half of a session that listens."""

    _channels: tuple[Channel, ...]
    _indices: IndexPrices
    name_behind = b'{"jsonrpc":"2.0","method":"subscription","params":{"channel":"'

    def renew(self, now_ns: int) -> list[Output]:
        """A book was lost: subscribe to it again, when the venue's limit allows."""
        raise NotImplementedError

    def notified(self, channel: str, frame: bytes, received_ns: int) -> list[Output]:
        """The first notification of a channel."""
        read = self._reader_of(channel)
        out = read(frame, received_ns)
        self.readers[channel.encode()] = read
        return out

    def _reader_of(self, channel: str) -> Read:
        """Raises UnknownInstrument or, for a channel that is not documented, FrameError."""
        head, *rest = channel.split(".")
        if head in _IGNORED:
            return partial(self._ignore, head)
        if head in INDICES:
            return partial(self._on_index, head)
        if head == "trades" and len(rest) == 3:  # of a kind and a currency: each row names its own instrument
            return partial(self._on_trades, None)
        by_shape: dict[tuple[str, int], Callable[..., list[Output]]] = {
            ("book", 2): self._on_book,
            ("book", 4): self._on_top,
            ("trades", 2): self._on_trades,
            ("ticker", 2): self._on_ticker,
            ("perpetual", 2): self._on_perpetual,
            ("quote", 1): self._on_quote,
        }
        method = by_shape.get((head, len(rest)))
        if method is None:
            raise FrameError("unknown_message", f"no such channel: {channel[:80]!r}")
        market = self.markets.of(rest[0])
        return partial(method, market, ".".join(rest[1:])) if head == "book" else partial(method, market)

    def _on_book(self, market: DeribitMarket, interval: str, frame: bytes, received_ns: int) -> list[Output]:
        data = market.checked(wire.read_book(frame).params.data)
        if not market.is_active_source("book", interval):
            return self.count("book")
        was_whole = market.stream.is_whole
        out = market.changed(data, received_ns)
        if not out or not (was_whole or market.stream.is_whole):
            self.count("change_without_effect" if was_whole else "change_without_book")
        return out if market.stream.is_whole else out + self.renew(received_ns)

    def _on_top(self, market: DeribitMarket, source: str, frame: bytes, received_ns: int) -> list[Output]:
        data = market.checked(wire.read_top(frame).params.data)
        # Prices that are rounded into groups are another book than the venue's.
        if not source.startswith("none.") or not market.is_active_source("book", source):
            return self.count("grouped_book")
        bids, asks = (
            [(wire.number(price), wire.number(size)) for price, size in rows] for rows in (data.bids, data.asks)
        )
        return market.whole.take(data.change_id, bids, asks, data.timestamp * MS, received_ns) or self.count(
            "repeated_book"
        )

    def _on_trades(self, market: DeribitMarket | None, frame: bytes, received_ns: int) -> list[Output]:
        return self.traded(wire.read_trades(frame).params.data, market, frame, received_ns, "live")

    def traded(
        self,
        rows: list[wire.TradeData],
        market: DeribitMarket | None,
        frame: bytes,
        received_ns: int,
        provenance: Provenance,
    ) -> list[Output]:
        """Trades of ``market``, or of whichever instrument each row names."""

        def take(row: wire.TradeData) -> list[Output]:
            owner = self.markets.of(row.instrument_name) if market is None else market
            return owner.traded(owner.checked(row), received_ns, provenance) or self.count("trade_without_effect")

        return self.each(rows, take, frame, received_ns, wire.in_order(rows))

    def _on_ticker(self, market: DeribitMarket, frame: bytes, received_ns: int) -> list[Output]:
        data = market.checked(wire.read_ticker(frame).params.data)
        if "funding" not in market.feeds:
            return self.count("ticker")
        size, mark, time_ns = wire.stated(data.open_interest), wire.stated(data.mark_price), data.timestamp * MS
        interest = market.open_interest(size, price=mark, venue_ns=time_ns, received_ns=received_ns)
        if market.instrument.kind is Kind.OPTION:  # its prices are part of its summary
            summary = market.summary(wire.read_option(frame).params.data, received_ns)
            return [*summary, *interest] or self.count("repeated_summary")
        out = market.prices(
            time_ns,
            received_ns,
            rate=wire.stated(data.current_funding),  # it is paid all the time: no time is the next
            mark_price=mark,
            index_price=wire.stated(data.index_price),
            last_price=wire.stated(data.last_price),
        )
        return [*out, *interest] or self.count("older_price")

    def _on_perpetual(self, market: DeribitMarket, frame: bytes, received_ns: int) -> list[Output]:
        data = wire.read_perpetual(frame).params.data
        if "funding" not in market.feeds:
            return self.count("perpetual")
        out = market.prices(data.timestamp * MS, received_ns, index_price=wire.stated(data.index_price))
        return out or self.count("older_price")

    def _on_quote(self, market: DeribitMarket, frame: bytes, received_ns: int) -> list[Output]:
        data = market.checked(wire.read_quote(frame).params.data)
        if "bbo" not in market.feeds:
            return self.count("quote")
        bid = wire.side_of(data.best_bid_price, data.best_bid_amount)
        ask = wire.side_of(data.best_ask_price, data.best_ask_amount)
        return market.quote(bid, ask, None, data.timestamp * MS, received_ns) or self.count("empty_quote")

    def _on_index(self, name: str, frame: bytes, received_ns: int) -> list[Output]:
        """An index is that of several instruments, or of none that is collected."""
        if name not in (channel.name for channel in self._channels):
            return self.count(name)
        data = wire.read_index(frame).params.data
        base, _, quote = data.index_name.upper().partition("_")
        symbol, value = (
            (f"{base}-{quote}-INDEX", data.price) if name == PRICE_INDEX.name else (f"{base}-DVOL", data.volatility)
        )
        out = self._indices.stated(symbol, wire.number(value), data.timestamp * MS, received_ns)
        feeds = [market.feeds["index"] for market in self.indexed(data.index_name)]
        statuses: list[Output] = [event for feed in feeds for event in feed.valid("received", None, received_ns)]
        for feed in feeds:
            feed.proven(None, received_ns)
        return [*statuses, *out] or self.count("repeated_index")

    def indexed(self, index: str) -> list[DeribitMarket]:
        """Those that lie on the index, and have a feed of it."""
        return [m for m in self.markets if "index" in m.feeds and index_of(m.venue_symbol) == index]

    def _ignore(self, kind: str, frame: bytes, received_ns: int) -> list[Output]:
        wire.read_ignored(frame)
        return self.count(kind)


HEARTBEAT_S = 10  # the shortest that the venue offers
SILENCE_NS = 25 * SECOND
SHORTEST_LOGIN_S = 900  # where a token does not say how long it lasts
RENEW_EVERY_NS = SECOND  # books that are lost within it share a call
# The venue's limit is of an address, which may have several connections.
TERMS = Terms(topics_a_request=400, pace=(2, 1.0))
NEEDS_LOGIN = (13009, 13778)  # unauthorized, raw needs a login
TOO_MANY = 10028  # the venue ends the session
# Nothing is wrong with the call: retry, settlement, queues that are full, maintenance, unavailable, timed out.
BUSY = (10040, 10041, 10047, 10066, 11051, 13028, 13888)

_FIRST_ID = 1_000_000  # of subscriptions: other calls are numbered from 1


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
        self._channels = channels
        self._indices = IndexPrices(EXCHANGE)
        self._wanted = _streams(instruments, channels)
        self._calls = Calls()
        self._login = None if credentials is None else Login(credentials)
        self._may_ask = True  # False until a login is answered
        self._next_renewal_ns = 0
        self.subscriptions: Subscriptions[str] = Subscriptions(TERMS, _request, self._feeds)

    # --- calls

    def subscribe(self, now_ns: int) -> list[Output]:
        self._calls.connected()
        self._next_renewal_ns = 0
        out = self._call("public/set_heartbeat", {"interval": HEARTBEAT_S}, now_ns)
        if self._login is None:
            return out + self.subscriptions.connected(self._wanted, now_ns)
        self._may_ask = False
        self._login.forget()
        return out + self._call("public/auth", self._login.params(), now_ns)

    def tick(self, now_ns: int) -> list[Output]:
        out: list[Output] = []
        if self._login is not None and self._login.is_due(now_ns):
            out = self._call("public/auth", self._login.params(), now_ns)
        return super().tick(now_ns) + out + self.renew(now_ns)

    def renew(self, now_ns: int) -> list[Output]:
        """Subscribe again to the books that were lost: that brings their snapshots."""
        if not self._may_ask or 0 < self._next_renewal_ns - now_ns <= RENEW_EVERY_NS:
            return []
        lost = {name: market for market in self.markets if (name := market.lost_book(now_ns)) is not None}
        if not lost:
            return []
        self._next_renewal_ns = now_ns + RENEW_EVERY_NS
        for market in lost.values():
            market.stream.awaits(now_ns)
        # What has sent something is held, whether its acknowledgement came or not.
        return self.subscriptions.confirmed(now_ns, topics=lost) + self.subscriptions.renew(lost, now_ns)

    def topics_of(self, market: DeribitMarket, kind: ChannelKind) -> list[str]:
        if kind == "book" and market.awaits_book:
            return []  # asked for by its own rule
        channels = channels_of(market.instrument, self._channels)
        return list(dict.fromkeys(stream(c, market.venue_symbol) for c in channels if c.kind == kind))

    def _feeds(self, topic: str) -> list[tuple[DeribitMarket, ChannelKind]]:
        head, symbol, *_ = topic.split(".")
        if head in INDICES:
            return [(market, "index") for market in self.indexed(symbol)]
        market = self.markets.of(symbol)
        return [(market, kind) for kind in BRINGS.get(head, ()) if kind in market.feeds]

    def _call(self, method: str, params: dict[str, Any], now_ns: int) -> list[Output]:
        call_id, send = self._calls.make(method, params)
        self.live.awaits(call_id, now_ns)
        return [send]

    # --- answers

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

    def unfamiliar(self, frame: bytes, received_ns: int) -> list[Output]:
        """A frame whose channel is new, or that belongs to none."""
        message = wire.read_envelope(frame)
        if message.method == "subscription":
            return self.notified(wire.read_named(message.params).channel, frame, received_ns)
        if message.method == "heartbeat":
            self.count("heartbeat")
            must_answer = wire.read_beat(message.params).type == "test_request"
            return self._call("public/test", {}, received_ns) if must_answer else []
        if isinstance(message.id, int) and message.id >= _FIRST_ID:
            return self._subscribed(message, message.id - _FIRST_ID, frame, received_ns)
        method = None if message.id is None else self._calls.answered(message.id)
        self.live.acknowledged(str(message.id))
        if message.error is not None:
            return self._refused(method, message.error, frame, received_ns)
        if message.method is not None or not bytes(message.result):
            raise FrameError("unknown_message", "neither a notification that is documented nor an answer")
        return self._answered(bytes(message.result), frame, received_ns)

    def _answered(self, result: bytes, frame: bytes, received_ns: int) -> list[Output]:
        """The shape of the result shows what it is, in a recording too."""
        start = result.lstrip()[:1]
        if start == b"[" and result.lstrip()[1:].lstrip()[:1] == b"{":
            return self.listed(read_instruments(frame), received_ns)
        if start == b"[":
            return self._acknowledged(wire.read_names(result), received_ns)
        if start != b"{":
            return self.count("acknowledgement")
        answer = wire.read_result(result)
        if answer.trades is not None:
            return self.traded(answer.trades, None, frame, received_ns, "rest")
        if answer.access_token is not None:
            return self._logged_in(answer, received_ns)
        return self.count("acknowledgement" if answer.change_id is None else "order_book")

    def _subscribed(self, reply: wire.Envelope, number: int, frame: bytes, now_ns: int) -> list[Output]:
        """The reply to a subscription or its end."""
        number, is_end = divmod(number, 2)
        if reply.error is not None:
            return self._refused_channels(reply.error, number, frame, now_ns)
        self.count("acknowledgement")
        if is_end:
            return self.subscriptions.confirmed(now_ns, number, verb="unsubscribe")
        names = wire.read_names(bytes(reply.result))
        out = self.subscriptions.confirmed(now_ns, number, self._known(names))
        taken = set(names)  # those that the venue does not know it passes over in silence
        others = [name for name in self._wanted if name not in taken]
        said, _, bad = self.subscriptions.refused("there is no such channel", now_ns, number, others)
        missing = [name for name in bad if not self._is_expired(name, now_ns)]
        if len(missing) < len(bad):
            self._ignored["channel_of_expired"] += len(bad) - len(missing)
        if missing:
            problem = FrameError("venue_error", f"not subscribed by the venue: {some(missing)}")
            said.append(refused(problem, EXCHANGE, frame, now_ns, self.conn))
        return out + said

    def _is_expired(self, name: str, now_ns: int) -> bool:
        head, symbol, *_ = name.split(".")
        return head not in INDICES and self.markets.of(symbol).instrument.expires_by(now_ns)

    def _acknowledged(self, names: list[str], now_ns: int) -> list[Output]:
        """In a recording: channels that were subscribed."""
        self.count("acknowledgement")
        return self.subscriptions.confirmed(now_ns, topics=self._known(names))

    def _known(self, names: list[str]) -> list[str]:
        symbols = {market.venue_symbol for market in self.markets}
        symbols |= {index_of(symbol) for symbol in symbols}
        return [name for name in names if name.count(".") and name.split(".")[1] in symbols]

    def _refused(self, method: str | None, error: wire.Error, frame: bytes, received_ns: int) -> list[Output]:
        asked = "" if method is None else f"{method}: "
        out = self.refuse(FrameError("venue_error", f"{asked}code {error.code}: {error.message}"), frame, received_ns)
        return out + self._not_logged_in(received_ns) if method == "public/auth" else out

    def _refused_channels(self, error: wire.Error, number: int, frame: bytes, now_ns: int) -> list[Output]:
        """One bad channel has the whole call refused: it is found by halving, the others are subscribed."""
        text = f"code {error.code}: {error.message}"
        if error.code == TOO_MANY or error.code in BUSY:
            letter = self.refuse(FrameError("venue_error", f"public/subscribe: {text}"), frame, now_ns)
            return letter if error.code == TOO_MANY else [*letter, Reconnect("venue_busy")]
        raw = [name for name in self._wanted if needs_login(name)] if error.code in NEEDS_LOGIN else None
        out, asked, bad = self.subscriptions.refused(text, now_ns, number, raw)
        about = f"; asked for: {some(bad or asked)}" if asked else ""
        return out + self.refuse(FrameError("venue_error", f"public/subscribe: {text}{about}"), frame, now_ns)

    def _logged_in(self, answer: wire.Result, received_ns: int) -> list[Output]:
        self.count("login")
        if self._login is None:
            return []
        self._login.granted(answer.refresh_token, answer.expires_in or SHORTEST_LOGIN_S, received_ns)
        return self._begin(received_ns)

    def _begin(self, now_ns: int) -> list[Output]:
        """Subscribe, once the first login is answered."""
        if self._may_ask:
            return []
        self._may_ask = True
        return self.subscriptions.connected(self._wanted, now_ns)

    def _not_logged_in(self, now_ns: int) -> list[Output]:
        """A refresh that failed is followed by a whole login; a login that failed matters to raw channels only."""
        if self._login is not None and self._login.was_refresh:
            return self._call("public/auth", self._login.params(), now_ns)
        if any(map(needs_login, self._wanted)):
            return [Reconnect("login_refused")]
        return self._begin(now_ns)


def _request(verb: Verb, topics: Sequence[str], number: int) -> bytes:
    """Its id states the kit's number and whether it ends subscriptions."""
    call_id = _FIRST_ID + 2 * number + (verb == "unsubscribe")
    call = {"jsonrpc": "2.0", "id": call_id, "method": f"public/{verb}", "params": {"channels": topics}}
    return msgspec.json.encode(call)


def _streams(instruments: Instruments, channels: tuple[Channel, ...]) -> list[str]:
    """The names to subscribe to, each once."""
    names = (stream(c, row.venue_symbol) for row in instruments for c in channels_of(row, channels))
    return list(dict.fromkeys(names))
