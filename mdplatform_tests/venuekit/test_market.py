"""One instrument's channels: what each call gives, and what it says about the feed."""

import pytest

from mdplatform.core.clock import SECOND
from mdplatform.core.errors import FrameError, UnknownInstrument
from mdplatform.core.events import FeedStatus, Funding, Liquidation, Quote, Trade
from mdplatform.core.session import Channel, Output
from mdplatform.core.symbols import Instrument, Instruments, Kind
from mdplatform.venuekit.contract_sizes import ContractSizes
from mdplatform.venuekit.market import Market, Markets

PERPETUAL = Instrument(
    exchange="x", venue_symbol="BTCUSD", base="BTC", quote="USD", kind=Kind.PERPETUAL, contract_size="0.1"
)
CHANNELS = (
    Channel("publicTrade", "trades", ""),
    Channel("allLiquidation", "liquidations", ""),
    Channel("tickers", "funding", ""),
    Channel("quote", "bbo", ""),
)


def market(*, sequential_ids: bool = False) -> Market:
    made = Market(PERPETUAL, CHANNELS, sequential_ids=sequential_ids)
    made.connected(SECOND)
    return made


def events(outputs: list[Output], kind: type) -> list[Output]:
    return [output for output in outputs if isinstance(output, kind)]


def states(outputs: list[Output]) -> list[tuple[str, str]]:
    return [(o.channel, o.state) for o in outputs if isinstance(o, FeedStatus) and o.ended_ns is None]


def test_a_connection_opens_a_resync_of_every_channel() -> None:
    made = Market(PERPETUAL, CHANNELS, sequential_ids=False)
    opened = states(made.connected(SECOND))
    assert opened == [(kind, "resync") for kind in ("trades", "liquidations", "funding", "bbo")]


def test_an_acknowledgement_makes_trades_valid() -> None:
    assert states(market().acknowledged("liquidations", 2 * SECOND)) == [("liquidations", "valid")]


def test_a_trade_is_in_base_units() -> None:
    [trade] = events(market().trade("a1", "64000", "20", "buy", 1, 2 * SECOND), Trade)
    assert isinstance(trade, Trade)
    assert (trade.size, trade.raw_size) == ("2", "20")


def test_a_repeated_trade_gives_nothing() -> None:
    made = market()
    made.trade("a1", "64000", "20", "buy", 1, 2 * SECOND)
    assert made.trade("a1", "64000", "20", "buy", 1, 3 * SECOND) == []


def test_a_number_beside_the_id_shows_what_is_missing() -> None:
    made = market(sequential_ids=True)
    made.trade("BTC-a", "64000", "20", "buy", 1, 2 * SECOND, number=7)
    out = made.trade("BTC-b", "64000", "20", "buy", 1, 3 * SECOND, number=9)
    assert [(o.id, o.size) for o in events(out, Trade) if isinstance(o, Trade)] == [("BTC-b", "2")]
    assert [o.missed for o in out if isinstance(o, FeedStatus) and o.state == "gap"] == [1]


def test_numbered_trades_show_what_is_missing() -> None:
    made = market(sequential_ids=True)
    made.trade("7", "64000", "20", "buy", 1, 2 * SECOND)
    lost = made.trade("10", "64000", "20", "buy", 1, 3 * SECOND)
    gaps = {(o.first_sequence, o.missed) for o in lost if isinstance(o, FeedStatus) and o.state == "gap"}
    assert gaps == {(8, 2)}


def test_a_numbered_trade_without_a_number_is_refused() -> None:
    with pytest.raises(FrameError, match="no number"):
        market(sequential_ids=True).trade("a1", "64000", "20", "buy", 1, 2 * SECOND)


def test_a_repeated_liquidation_gives_nothing() -> None:
    made = market()
    first = made.liquidation("o1", "64000", "20", "sell", 1, 2 * SECOND)
    assert len(events(first, Liquidation)) == 1
    assert made.liquidation("o1", "64000", "20", "sell", 1, 3 * SECOND) == []


def test_a_funding_rate_may_be_negative() -> None:
    out = market().funding(
        rate="-0.0001", mark_price="64000", index_price=None, next_funding_ns=None, venue_ns=1, received_ns=2 * SECOND
    )
    assert len(events(out, Funding)) == 1


def test_quotes_without_ids_rise() -> None:
    made = market()
    quotes = [
        q
        for _ in range(2)
        for q in events(made.quote(("1", "5"), ("2", "5"), None, 5_000_000, 2 * SECOND), Quote)
        if isinstance(q, Quote)
    ]
    assert [q.sequence for q in quotes] == [5000, 5001]


def test_an_older_quote_gives_nothing() -> None:
    made = market()
    made.quote(("1", "5"), ("2", "5"), 10, 1, 2 * SECOND)
    assert made.quote(("1", "6"), ("2", "5"), 9, 1, 3 * SECOND) == []


def test_a_side_of_zero_is_no_side_of_a_quote() -> None:
    [quote] = events(market().quote(("64000", "1"), ("64001", "0.00"), 7, SECOND, 2 * SECOND), Quote)
    assert isinstance(quote, Quote)
    assert (quote.bid_price, quote.ask_price) == ("64000", None)


def test_a_crossed_quote_is_refused() -> None:
    with pytest.raises(FrameError, match="at or above"):
        market().quote(("2", "5"), ("2", "5"), 10, 1, 2 * SECOND)


def test_an_empty_side_is_none() -> None:
    [quote] = events(market().quote(None, ("2", "5"), 10, 1, 2 * SECOND), Quote)
    assert isinstance(quote, Quote)
    assert (quote.bid_price, quote.ask_size, quote.raw_ask_size) == (None, "0.5", "5")


def test_markets_are_found_by_the_venues_symbol() -> None:
    markets = Markets(Instruments("x", [PERPETUAL]), lambda i: Market(i, CHANNELS, sequential_ids=False))
    assert markets.of("BTCUSD") is markets.of("BTCUSD")
    with pytest.raises(UnknownInstrument):
        markets.of("ETHUSD")


def priced(made: Market, time_s: int, **stated: str) -> list[tuple[object, ...]]:
    out = made.prices(time_s * SECOND, 100 * SECOND, **stated)
    return [(o.venue_ns // SECOND, o.rate, o.mark_price, o.index_price) for o in out if isinstance(o, Funding)]


def test_prices_of_one_time_that_come_apart_are_in_the_second_event_together() -> None:
    made = market()
    assert priced(made, 5, mark_price="64000") == [(5, None, "64000", None)]
    assert priced(made, 5, index_price="63990") == [(5, None, "64000", "63990")]
    assert priced(made, 6, rate="0.0001") == [(6, "0.0001", "64000", "63990")]


def test_an_older_price_overwrites_nothing() -> None:
    made = market()
    priced(made, 5, mark_price="64000")
    assert priced(made, 4, mark_price="63000") == []
    assert priced(made, 4, index_price="63990") == [(5, None, "64000", "63990")]


def test_prices_of_an_earlier_connection_are_not_stated_again() -> None:
    made = market()
    priced(made, 5, mark_price="64000")
    made.connected(6 * SECOND)
    assert priced(made, 4, index_price="63990") == [(4, None, None, "63990")]


def test_a_quote_that_is_lower_and_later_begins_the_numbers_again() -> None:
    made = market()
    for number, at in ((900, 2), (901, 3)):
        made.quote(("1", "5"), ("2", "5"), number, at * SECOND, at * SECOND)
    out = made.quote(("1", "6"), ("2", "5"), 5, 4 * SECOND, 4 * SECOND)
    assert len(events(out, Quote)) == 1
    assert [(o.state, o.cause) for o in out if isinstance(o, FeedStatus) and o.ended_ns is None] == [
        ("gap", "sequence_reset"),
        ("valid", "resumed"),
    ]
    assert len(events(made.quote(("1", "6"), ("2", "5"), 6, 5 * SECOND, 5 * SECOND), Quote)) == 1


def test_what_cannot_be_converted_is_not_known_as_seen() -> None:
    made = market()
    made.units = Refusing(PERPETUAL)
    with pytest.raises(FrameError):
        made.trade("a1", "64000", "20", "buy", 1, 2 * SECOND)
    made.units = None
    assert len(events(made.trade("a1", "64000", "20", "buy", 1, 2 * SECOND), Trade)) == 1


def test_a_message_of_several_matches_says_so() -> None:
    made = market(sequential_ids=True)
    [trade] = events(made.trade("9", "64000", "20", "buy", 1, 2 * SECOND, number=9, first=6), Trade)
    assert isinstance(trade, Trade)
    assert (trade.id, trade.first_id, trade.count) == ("9", "6", 4)


class Refusing(ContractSizes):
    def base(self, price: str, size: str) -> str:
        raise FrameError("bad_number", "too many digits")
