"""One symbol on a feed whose every message is a whole book."""

from __future__ import annotations

from mdplatform.core.decimals import ZEROS, Levels, check_levels
from mdplatform.core.errors import FrameError
from mdplatform.core.events import Book, FeedStatus
from mdplatform.core.feed_status import FeedState
from mdplatform.core.session import Output
from mdplatform.venuekit.books.order_book import near_mid
from mdplatform.venuekit.contract_sizes import ContractSizes


class FullBook:
    """Events carry at most ``depth`` levels a side, their sizes in ``units``."""

    def __init__(self, feed: FeedState, depth: int, units: ContractSizes | None = None) -> None:
        self.feed = feed
        self.units = units
        self.depth = depth
        self._last: int | None = None
        self._last_ns = 0  # venue time of that one

    def connected(self, now_ns: int) -> None:
        """A new connection: nothing carries over."""
        self._last = None

    def tick(self, now_ns: int) -> list[Output]:
        return [*self.feed.tick(now_ns)]

    def closed(self, cause: str, now_ns: int) -> list[FeedStatus]:
        return self.feed.closed(cause, now_ns)

    def take(
        self, sequence: int, bids: Levels, asks: Levels, venue_ns: int, received_ns: int, *, proves: bool = True
    ) -> list[Output]:
        """A book; none where it repeats the one before. Raises FrameError when it is no sound book.

        ``proves`` False: published, but whether the feed is stale is decided by another channel.
        """
        check_levels([*bids, *asks])
        bid_prices, bid_sizes, bid_keys = self._side(bids, True)
        ask_prices, ask_sizes, ask_keys = self._side(asks, False)
        best_bid, best_ask = (keys[0] if keys else None for keys in (bid_keys, ask_keys))
        if best_bid is not None and best_ask is not None and best_bid >= best_ask:
            raise FrameError("crossed_book", f"best bid {best_bid} at or above best ask {best_ask}")
        last = self._last
        out: list[Output] = []
        if last is not None and sequence < last:
            cause = "sequence_reset" if venue_ns > self._last_ns else "sequence_back"
            out += self.feed.invalid("gap", cause, received_ns)
            last = None
        if proves:
            out += self.feed.valid("resumed" if self.feed.state == "stale" else "whole_book", sequence, received_ns)
            self.feed.proven(sequence, received_ns)
        self._last, self._last_ns = sequence, venue_ns
        if sequence == last:
            return out
        sides = bid_prices, bid_sizes, ask_prices, ask_sizes
        near: tuple[str | None, str | None] = None, None
        if best_bid is not None and best_ask is not None:
            within = near_mid(best_bid, best_ask)
            near = self._near(bids, bid_keys, within[0], 1), self._near(asks, ask_keys, within[1], -1)
        feed = self.feed
        event = Book(feed.exchange, feed.symbol, *sides, venue_ns, sequence, last, received_ns, None, None, *near)
        out.append(event if self.units is None else self.units.book(event))
        return out

    def _near(self, levels: Levels, keys: list[float], worst: float, sign: int) -> str | None:
        """What stands at ``worst`` and better, in base units. None where the message ends before that."""
        if sign * keys[-1] >= sign * worst:
            return None
        worth, per_price = (1.0, False) if self.units is None else (self.units.worth, self.units.is_inverse)
        inside = [(key, float(size)) for key, (_, size) in zip(keys, levels, strict=True) if sign * key >= sign * worst]
        return f"{sum(size / key if per_price else size for key, size in inside) * worth:.12g}"

    def _side(self, levels: Levels, descending: bool) -> tuple[list[str], list[str], list[float]]:
        """(prices, sizes, prices as numbers) of a side; raises FrameError unless it is sorted and without zeros."""
        prices = [price for price, _ in levels]
        sizes = [size for _, size in levels]
        keys = list(map(float, prices))
        if keys != sorted(set(keys), reverse=descending) or not ZEROS.isdisjoint(sizes):
            raise FrameError("unsorted_levels", "levels are out of order, doubled or of size zero")
        return prices[: self.depth], sizes[: self.depth], keys
