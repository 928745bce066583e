"""Whether a venue does what is documented of it: what was measured on its feeds, beside what its channels state.

Venues change: a channel becomes slower, a field appears, a symbol is acknowledged and stays silent. Each is one line of
a report, found by comparing, not by somebody who noticed. ``watch`` looks at a venue itself, without broker or tables;
the asset check ``venues_do_as_documented`` judges what collectors published.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from mdplatform.bus.memory import MemoryBus
from mdplatform.collector.collection import collect
from mdplatform.collector.config import CollectorConfig
from mdplatform.collector.instrument_selection import Lists
from mdplatform.core.clock import SystemClock
from mdplatform.core.errors import ConfigError, MdplatformError
from mdplatform.core.events import FeedStats, FeedStatus
from mdplatform.core.session import Channel, HasHeaders, Venue, select_for_subscription
from mdplatform.core.settings import Settings
from mdplatform.core.shards import Shard
from mdplatform.core.topics import Topics
from mdplatform.feed.rate_limit import Budget
from mdplatform.feed.rest import RestClient
from mdplatform.venuekit.silence import EVENTFUL
from mdplatform.venues import venue

SLOWER = 3.0  # times the documented cadence: slower than that is another channel than the documented one
GAPS_A_MILLION = 10.0  # frames; the best that is published of a whole venue is 2.5
MOST_EXAMPLES = 10
MOST_SYMBOLS = 4
LISTED_WITHIN_S = 30.0


@dataclass(frozen=True)
class Measured:
    """One thing about a venue. ``is_drift``: it is not as documented."""

    exchange: str
    measure: str  # cadence, unfamiliar field, refused frame, silent channel, refused subscription, gaps, limit met
    subject: str  # of what: a kind of channel, a field, a symbol
    documented: str
    measured: str
    is_drift: bool

    def row(self) -> dict[str, Any]:
        return asdict(self)


def judge(
    facts: Venue,
    channels: Sequence[Channel],
    stats: Iterable[FeedStats],
    statuses: Iterable[FeedStatus],
    letters: Iterable[tuple[str, str]] = (),
) -> list[Measured]:
    """What the last ``stats`` of each connection and all ``statuses`` say of these channels.

    ``letters``: reason and error of each dead letter. What is as documented is listed too, so that a report of a venue
    that does all that is expected is no empty page.
    """
    last = _last(stats)
    return [
        *_cadences(facts, channels, last),
        *_unfamiliar(facts, last),
        *_letters(facts, letters),
        *_statuses(facts, statuses),
        *_counters(facts, last),
    ]


def _last(stats: Iterable[FeedStats]) -> list[FeedStats]:
    """The last of each connection; a connection that is gone has no cadence, so it keeps the last that it had."""
    last: dict[str, FeedStats] = {}
    for each in stats:
        before = last.get(each.conn)
        kept = before.cadence_ms if before is not None and not each.cadence_ms else each.cadence_ms
        last[each.conn] = msgspec.structs.replace(each, cadence_ms=kept)
    return list(last.values())


def _cadences(facts: Venue, channels: Sequence[Channel], stats: Sequence[FeedStats]) -> list[Measured]:
    found: dict[str, float] = {}
    for each in stats:
        for kind, mean_ms in each.cadence_ms.items():
            found[kind] = min(mean_ms, found.get(kind, mean_ms))
    out = []
    for kind in dict.fromkeys(channel.kind for channel in channels if channel.kind not in EVENTFUL):
        alike = [channel for channel in channels if channel.kind == kind]
        documented = min((c.cadence_s for c in alike if c.cadence_s is not None), default=None)
        ms = found.get(kind)
        if ms is None and not any(channel.is_steady for channel in alike):
            continue  # nothing came: a silent channel is listed as such
        slow = documented is not None and (ms is None or ms > SLOWER * 1000 * documented)
        shown = "-" if documented is None else f"{documented:g} s"
        measured = "nothing came" if ms is None else f"{ms / 1000:.3g} s"
        names = ", ".join(channel.name for channel in alike)
        out.append(Measured(facts.id, "cadence", f"{kind} ({names})", shown, measured, slow))
    return out


def _unfamiliar(facts: Venue, stats: Sequence[FeedStats]) -> list[Measured]:
    counts: Counter[str] = Counter()
    for each in stats:
        counts.update(each.unfamiliar)
    return [
        Measured(facts.id, "unfamiliar field", name, "not known", f"in {count} frames looked at", True)
        for name, count in counts.most_common(MOST_EXAMPLES)
    ]


def _letters(facts: Venue, letters: Iterable[tuple[str, str]]) -> list[Measured]:
    by_reason: defaultdict[str, list[str]] = defaultdict(list)
    for reason, error in letters:
        if reason != "unfamiliar_field":  # these are counted by field already
            by_reason[reason].append(error)
    return [
        Measured(facts.id, "refused frame", f"{reason}: {errors[0][:80]}", "0", str(len(errors)), True)
        for reason, errors in by_reason.items()
    ]


def _statuses(facts: Venue, statuses: Iterable[FeedStatus]) -> list[Measured]:
    latest = {(status.symbol, status.channel): status for status in statuses}
    names = {"silent_channel": "silent channel", "refused": "refused subscription", "not_listed": "not listed"}
    out = []
    for (symbol, channel), status in sorted(latest.items()):
        if status.state == "resync" and channel not in EVENTFUL:
            out.append(Measured(facts.id, "silent channel", f"{symbol} {channel}", "sends", "nothing yet", True))
        elif status.state != "valid" and status.cause in names:
            out.append(Measured(facts.id, names[status.cause], f"{symbol} {channel}", "sends", status.cause, True))
    return out


def _counters(facts: Venue, stats: Sequence[FeedStats]) -> list[Measured]:
    frames, gaps = sum(each.frames for each in stats), sum(each.gaps for each in stats)
    rate = 1e6 * gaps / frames if frames else 0.0
    shown = f"{rate:.3g} ({gaps} in {frames} frames)"
    limits = max((each.limits_met for each in stats), default=0)
    return [
        Measured(facts.id, "gaps", "a million frames", f"at most {GAPS_A_MILLION:g}", shown, rate > GAPS_A_MILLION),
        Measured(facts.id, "limit met", "answers 429 and 418", "0", str(limits), limits > 0),
    ]


async def watch(venue_id: str, settings: Settings, symbols: tuple[str, ...], seconds: float) -> list[Measured]:
    """Collect symbols of a venue for so long, into memory, and judge what came.

    No ``symbols``: the usual ones that it lists. A venue that cannot be reached is one line of the report.
    """
    facts, stop = venue(venue_id), asyncio.Event()
    letters_topic = Topics.from_settings(settings).name("dead_letters", venue_id)
    bus = MemoryBus(keeps=(letters_topic,))  # an hour of books would fill the memory
    config = CollectorConfig.from_settings(settings, venue_id, symbols or USUAL)
    stats: list[FeedStats] = []
    statuses: list[FeedStatus] = []
    try:
        async with asyncio.timeout(seconds + LISTED_WITHIN_S):
            if not symbols:
                config = msgspec.structs.replace(config, symbols=await _usual(facts, config))
            asyncio.get_running_loop().call_later(seconds, stop.set)
            await collect(config, settings, bus, SystemClock(), stop, on_stats=stats.append, on_status=statuses.append)
    except (MdplatformError, TimeoutError) as error:
        return [Measured(facts.id, "reached", config.ws_url or facts.ws_url, "yes", f"no: {error}", True)]
    channels = select_for_subscription(facts.channels, facts.default_channels)
    seen = [status for status in statuses if status.cause != "stopped"]
    letters = [_read_letter(message.value) for message in bus.topics.get(letters_topic, [])]
    if not any(each.frames for each in stats):
        return [Measured(facts.id, "reached", config.ws_url or facts.ws_url, "yes", "no frame came", True)]
    return judge(facts, channels, stats, seen, letters)


class _Letter(msgspec.Struct):
    reason: str
    error: str


def _read_letter(value: bytes) -> tuple[str, str]:
    letter = msgspec.json.decode(value, type=_Letter)
    return letter.reason, letter.error


async def _usual(facts: Venue, config: CollectorConfig) -> tuple[str, ...]:
    """The usual symbols that the venue lists; raises FeedError, FrameError and ConfigError."""
    url, budget = config.rest_url or facts.rest_url, Budget(*facts.rest_budget)
    headers = facts.headers if isinstance(facts, HasHeaders) else {}
    async with RestClient(url, budget, SystemClock(), only=config.rest_url is not None, headers=headers) as rest:
        listed = await Lists(facts, rest, SystemClock(), lambda body, stated: None).ask()
    names = {instrument.symbol for instrument in listed}
    found = tuple(symbol for symbol in USUAL if symbol in names)
    if not found:
        raise ConfigError(f"{facts.id} lists none of {', '.join(USUAL)}; name symbols in MDPLATFORM_INGEST")
    return found


def symbols_of(venue_id: str, ingest: Iterable[Shard]) -> tuple[str, ...]:
    """Some of what is collected of the venue; none where nothing is."""
    wanted = dict.fromkeys(symbol for shard in ingest if shard.venue == venue_id for symbol in shard.symbols)
    return tuple(wanted)[:MOST_SYMBOLS]


# Traded at every hour of the day wherever they are listed.
USUAL = ("BTC-USDT", "BTC-USD", "BTC-USDT-PERP", "BTC-USD-PERP")
