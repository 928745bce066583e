"""The fault script: what goes wrong, or happens on the markets, where and when.

    at=5s drop venue=binance symbol=BTCUSDT channel=depth count=3
    at=10s every=60s half-open venue=coinbase
    jump BTC 0.8%
    at=20s liquidate BTC n=5 side=sell
    volume BTC x10 for 5s

One fault a line (or `;` between them, `#` starts a comment), words in any order; or JSON: a list of objects with the
same names and `fault` for the action. Times are seconds, with or without `s`, from the start of the simulator.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Literal, get_args

import msgspec

from mdplatform.core.errors import ConfigError

Failure = Literal["drop", "duplicate", "garbage", "stall", "skip", "half-open", "cut", "refuse", "429"]
Dirt = Literal["reset", "checksum", "bad-row", "silence", "slow", "deaf", "maintenance"]
Listing = Literal["odd-row", "shrink", "delist", "deny", "list"]
MarketEvent = Literal["jump", "liquidate", "volume", "empty"]
Garbage = Literal["text", "truncated", "binary", "fields"]
Oddity = Literal["null", "empty", "zero", "absent"]

ACTIONS = (*get_args(Failure), *get_args(Dirt), *get_args(Listing), *get_args(MarketEvent))
_SECONDS = {"at", "every", "for"}
_BARE = (  # what a word without a name says
    (re.compile(r"[+-]?[\d.]+%"), "percent"),
    (re.compile(r"x[\d.]+"), "times"),
    (re.compile(r"[A-Z][A-Z0-9]*"), "asset"),
)
_NEEDS = {
    **dict.fromkeys(("stall", "refuse", "silence", "deaf", "maintenance", "odd-row", "shrink", "slow"), ("for",)),
    **dict.fromkeys(("delist", "deny", "list"), ("symbol",)),
    "jump": ("asset", "percent"),
    "volume": ("times", "for"),
    "empty": ("symbol", "for"),
}
_EXAMPLES = {"for": "SECONDS", "asset": "BTC", "percent": "0.8", "times": "10", "symbol": "BTCUSDT"}
_LIMITS = {"jump": {"percent": (-90, 900)}, "liquidate": {"n": (1, 1000)}, "volume": {"times": (1, 1000)}}


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One entry. What is not named matches everything.

    drop, duplicate, garbage: the next `count` matching frames of each open connection, or all of them during `for`.
    stall: matching frames are held back for `for` seconds, then sent in order, late.
    skip: the venue leaves out `n` numbers (update ids; trade ids for a trade channel; sequence_num on Advanced Trade).
    half-open: the connection stays open and falls silent, no pong either. cut: it is reset without a close frame.
    refuse: new connections get 503 during `for`, with `retry` as Retry-After. 429: REST answers so, `count` times or
    during `for`.

    reset: the venue's numbers restart `n` lower (of what skip skips). checksum: as garbage, wrong checksums.
    bad-row: the same, a row without values among the good ones. silence: matching frames of all connections, new ones
    too, are lost during `for`, whatever was acknowledged. slow: what comes in batches comes each `n` seconds.
    deaf: no message of a client is answered. maintenance: notice, close, and as refuse.

    odd-row: lists hold a row besides whose values are as `odd` says. shrink: they hold a third of their rows.
    delist: it vanishes from the lists and falls silent. deny: it is listed, and who asks for it is refused. list: it
    is there again, or for the first time. Both end after `for` where that is given.

    jump: an asset's price moves by `percent` at once on every venue, or with `venue` on that one alone.
    liquidate: `n` positions in each open derivative of the asset are closed; `side` of the orders, or either.
    empty: every order is withdrawn during `for`: the book has no level, and nothing is traded.
    volume: `times` the usual volume is traded during `for`; with a `side`, by its takers.
    """

    action: Failure | Dirt | Listing | MarketEvent = msgspec.field(name="fault")
    at: float = 0.0
    every: float | None = None  # again after each such time
    venue: str | None = None
    symbol: str | None = None  # the venue's name
    channel: str | None = None
    count: int = 1
    seconds: float | None = msgspec.field(name="for", default=None)
    n: int = 1
    retry: int | None = None  # what Retry-After says, in seconds; 429 always says one
    kind: Garbage = "text"
    odd: Oddity = "null"
    asset: str | None = None
    percent: float | None = None
    times: float | None = None
    side: Literal["buy", "sell"] | None = None  # the takers'

    def matches(self, venue: str, symbol: str | None = None, channel: str | None = None) -> bool:
        """Whether it concerns this venue and, where given, this symbol and channel."""
        return (
            self.venue in (None, venue)
            and (symbol is None or self.symbol in (None, symbol))
            and (channel is None or self.channel is None or channel.startswith(self.channel))
        )


def parse_script(text: str) -> list[Fault]:
    """The faults of a script; ConfigError names the line that is wrong."""
    if text.lstrip().startswith("["):
        return [_fault(entry, number) for number, entry in enumerate(_objects(text), 1)]
    lines = text.replace(";", "\n").splitlines()
    entries = ((number, line.partition("#")[0].split()) for number, line in enumerate(lines, 1))
    return [_fault(_words(words, number), number) for number, words in entries if words]


def _objects(text: str) -> list[dict[str, Any]]:
    try:
        return msgspec.json.decode(text, type=list[dict[str, Any]])
    except msgspec.MsgspecError as error:
        raise ConfigError(f"fault script: not a JSON list of objects: {error}") from None


def _words(words: Iterable[str], number: int) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=")
        if word == "for":
            name, value = "for", next(rest, "")
        elif not equals:
            name, value = _named(word), word
        if name in entry:
            raise ConfigError(f"fault script, entry {number}: {name} is given twice ({entry[name]!r} and {value!r})")
        entry[name] = value
    return entry


def _named(word: str) -> str:
    """What a bare word is; the action, unless it looks like something else."""
    return next((name for shape, name in _BARE if shape.fullmatch(word)), "fault")


def _fault(entry: dict[str, Any], number: int) -> Fault:
    cleaned = {name: _bare(name, value) for name, value in entry.items()}
    cleaned["fault"] = str(cleaned.get("fault", ""))
    if cleaned["fault"] not in ACTIONS:
        raise ConfigError(
            f"fault script, entry {number}: no fault {cleaned['fault']!r}; there are {', '.join(ACTIONS)}"
        )
    try:
        fault = msgspec.convert(cleaned, Fault, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(f"fault script, entry {number}: {error}") from None
    for name in _NEEDS.get(fault.action, ()):
        if cleaned.get(name) is None:
            raise ConfigError(f"fault script, entry {number}: {fault.action} needs {name}={_EXAMPLES[name]}")
    for name, (least, most) in _LIMITS.get(fault.action, {}).items():
        if not least <= getattr(fault, name) <= most:
            raise ConfigError(f"fault script, entry {number}: {name} of {fault.action} is from {least} to {most}")
    return fault


def _bare(name: str, value: Any) -> Any:
    """The value without its unit."""
    if not isinstance(value, str):
        return value
    if name in _SECONDS:
        return value.removesuffix("s")
    return {"percent": value.removesuffix("%"), "times": value.removeprefix("x")}.get(name, value)
