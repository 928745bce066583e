"""What is wanted and not collected, by the statuses of feeds."""

from mdplatform.collector.unlisted import uncollected
from mdplatform.core.events import FeedStatus

SECOND = 1_000_000_000
NOW = 1_790_000_000 * SECOND


def status(symbol: str, channel: str, state: str = "down", cause: str = "not_listed", age_s: int = 3) -> FeedStatus:
    return FeedStatus("v", symbol, channel, state, cause, NOW - 3600 * SECOND, NOW - age_s * SECOND)  # type: ignore[arg-type]


def test_a_symbol_is_one_line_with_its_channels_and_since_when() -> None:
    statuses = [status("GONE-USDT", "trades"), status("GONE-USDT", "book"), status("ODD-USDT", "book", cause="refused")]
    found = uncollected({(s.symbol, s.channel): s for s in statuses}, NOW)
    assert [(one.symbol, one.channels, one.cause) for one in found] == [
        ("GONE-USDT", ("book", "trades"), "not_listed"),
        ("ODD-USDT", ("book",), "refused"),
    ]
    assert str(found[0]).endswith("not_listed since 2026-09-21 13:13:20 UTC")


def test_what_is_collected_down_for_another_reason_or_no_longer_stated_is_none() -> None:
    statuses = [
        status("A-USD", "book", "valid", "joined"),
        status("B-USD", "book", cause="cut"),
        status("C-USD", "book", age_s=3000),
    ]
    assert uncollected({(s.symbol, s.channel): s for s in statuses}, NOW) == []
