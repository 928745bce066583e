"""The venue's lists: perpetuals (``meta``), spot pairs (``spotMeta``), and perpetuals that others deploy on it."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Annotated

import msgspec
from msgspec.structs import replace

from mdplatform.core.errors import UNREADABLE, FrameError
from mdplatform.core.instrument_list import ABSENT, InstrumentList, RefusedRow, decoded, read_rows, refused_row, unit
from mdplatform.core.symbols import Instrument, Instruments, Kind
from mdplatform.venuekit.default_instruments import composed

EXCHANGE = "hyperliquid"


def known_instruments() -> Instruments:
    return composed(EXCHANGE, ("USD",), lambda base, quote: base, Kind.PERPETUAL)


def read_instruments(body: bytes) -> InstrumentList:
    """The answer to meta, spotMeta or allPerpMetas; raises FrameError."""
    if body.lstrip()[:1] == b"[":
        metas = decoded(_read_metas, body, "not a list of metas")
        lists = [read_rows(m.universe, partial(_deployed, m.collateralToken)) for m in metas]
        return InstrumentList(
            [row for part in lists for row in part.instruments], [row for part in lists for row in part.refused]
        )
    meta = decoded(_read_meta, body, "neither meta nor spotMeta")
    if meta.tokens is not None:
        return _pairs(meta.universe, meta.tokens)
    return read_rows(meta.universe, lambda raw: _perpetual(_read_coin(raw)))


def _deployed(collateral: int, raw: msgspec.Raw) -> Instrument | None:
    """xyz:TSLA of the exchange xyz is TSLA.xyz-USD-PERP: several may list one asset. Those of the venue's own exchange
    are in a list of their own. Which asset it is, nothing states."""
    coin = _read_coin(raw)
    exchange, colon, asset = coin.name.partition(":")
    if not colon:
        return None
    if not exchange or not asset:
        raise FrameError("wrong_shape", f"{coin.name[:40]!r} names no exchange or no asset")
    return replace(_perpetual(coin), base=f"{asset}.{exchange}", settle="USDC" if collateral == 0 else None)


def _perpetual(coin: Coin) -> Instrument:
    return Instrument(
        exchange=EXCHANGE,
        venue_symbol=coin.name,
        base=coin.name,
        quote="USD",
        kind=Kind.PERPETUAL,
        settle="USDC",
        step=unit(coin.szDecimals),
        status="isDelisted" if bytes(coin.isDelisted) == b"true" else None,
    )


def _pairs(universe: list[msgspec.Raw], tokens: list[msgspec.Raw]) -> InstrumentList:
    """Names of tokens are not unique: the oldest one has it for itself, a later one with its index (``CAT.213``)."""
    known, unplaced, refused = _tokens(tokens)
    oldest: dict[str, int] = {}
    for index, name, is_placed in sorted(
        [(t.index, t.name, True) for t in known] + [(t.index, t.name, False) for t in unplaced]
    ):
        oldest.setdefault(name, index if is_placed else -1)
    names: dict[int, str] = {}
    for token in known:
        first = oldest[token.name]
        names[token.index] = token.name if first == token.index else f"{token.name}.{token.index}"
    steps = {token.index: unit(token.szDecimals) for token in known}

    def pair(raw: msgspec.Raw) -> Instrument:
        row = _read_pair(raw)
        base, quote = row.tokens
        if not names.get(base) or not names.get(quote):
            raise FrameError("wrong_shape", f"{row.name[:40]!r} is of tokens that are not in the list")
        bought, paid, step = names[base], names[quote], steps[base]
        return Instrument(exchange=EXCHANGE, venue_symbol=row.name, base=bought, quote=paid, step=step)

    listed = read_rows(universe, pair)
    return InstrumentList(listed.instruments, [*refused, *listed.refused])


def _tokens(rows: list[msgspec.Raw]) -> tuple[list[Token], list[Token], list[RefusedRow]]:
    """(tokens, those without an index of their own, rows that were refused).

    The second ones stand for the index of their place, so that no younger token of the name takes it over.
    """
    known: list[Token] = []
    unplaced: list[Token] = []
    refused: list[RefusedRow] = []
    taken: set[int] = set()
    for place, raw in enumerate(rows):
        try:
            token = _read_token(raw)
            if token.index in taken:
                raise FrameError("wrong_shape", f"a second token has the index {token.index}")
        except (FrameError, *UNREADABLE) as error:
            refused.append(refused_row(error, raw))
            with suppress(*UNREADABLE):
                unplaced.append(Token(_read_named(raw).name, place))
            continue
        taken.add(token.index)
        known.append(token)
    return known, unplaced, refused


class Coin(msgspec.Struct):
    name: str
    szDecimals: msgspec.Raw = ABSENT
    isDelisted: msgspec.Raw = ABSENT


class Named(msgspec.Struct):
    name: str


class Token(msgspec.Struct):
    name: str
    index: Annotated[int, msgspec.Meta(ge=0)]
    szDecimals: msgspec.Raw = ABSENT


class Pair(msgspec.Struct):
    name: str
    tokens: tuple[int, int]  # indexes of base and quote


class Meta(msgspec.Struct):
    """Perpetuals, or pairs of the tokens that are listed beside them."""

    universe: list[msgspec.Raw]
    tokens: list[msgspec.Raw] | None = None
    collateralToken: int = 0  # index of the token that gains are paid in; 0: USDC


_read_metas = msgspec.json.Decoder(list[Meta]).decode
_read_meta = msgspec.json.Decoder(Meta).decode
_read_coin = msgspec.json.Decoder(Coin).decode
_read_pair = msgspec.json.Decoder(Pair).decode
_read_token = msgspec.json.Decoder(Token).decode
_read_named = msgspec.json.Decoder(Named).decode
