"""What a collector publishes of a list that it asks for again and again."""

from mdplatform.collector.instrument_selection import WHOLE_EVERY_NS, Listings
from mdplatform.core.clock import SECOND
from mdplatform.core.instrument_list import InstrumentList, RefusedRow
from mdplatform.core.symbols import Instrument, Kind

NOW = 1_790_000_000 * SECOND
REFUSED = RefusedRow("wrong_shape", "a row without base", b"{}")


def row(base: str, status: str = "trading") -> Instrument:
    return Instrument(
        exchange="binance", venue_symbol=f"{base}USDT", base=base, quote="USDT", kind=Kind.SPOT, status=status
    )


def test_a_list_is_published_whole_at_first() -> None:
    answer = InstrumentList([row("BTC"), row("ETH")], [REFUSED])
    assert Listings().changed(answer, NOW) == answer


def test_a_list_that_is_asked_for_again_soon_brings_what_has_changed() -> None:
    listings = Listings()
    listings.changed(InstrumentList([row("BTC"), row("ETH")], [REFUSED]), NOW)
    again = InstrumentList([row("BTC"), row("ETH", "halted"), row("SOL")], [REFUSED])
    assert listings.changed(again, NOW + SECOND) == InstrumentList([row("ETH", "halted"), row("SOL")])


def test_a_status_that_is_as_before_is_published_when_it_returns() -> None:
    listings = Listings()
    for status in ("trading", "halted"):
        listings.changed(InstrumentList([row("BTC", status)]), NOW)
    assert listings.changed(InstrumentList([row("BTC")]), NOW) == InstrumentList([row("BTC")])


def test_a_list_is_published_whole_every_hour() -> None:
    listings = Listings()
    answer = InstrumentList([row("BTC")], [REFUSED])
    listings.changed(answer, NOW)
    assert listings.changed(answer, NOW + WHOLE_EVERY_NS) == answer
