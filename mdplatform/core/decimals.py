"""Decimal text: what a venue may send as a price or size, checked without changing a character.

The text goes from the frame to the topic as it came, unquoted, so it must be a JSON number there: no sign, exponent,
leading zero or bare dot. At most 18 digits on either side of the dot.
"""

from __future__ import annotations

import re
from decimal import ROUND_DOWN, Context, Decimal, InvalidOperation
from itertools import chain

import msgspec

from mdplatform.core.errors import FrameError

Levels = list[tuple[str, str]]  # (price, size), in the venue's text
Numbers = list[float]  # price and size of each level in turn

# Each number is read in one way only, so that a long list that fails at its end costs no second reading. Possessive
# quantifiers stand at digits only: of groups, Python before 3.11.5 takes some that do not match (gh-106052).
_FRACTION = r"(?:\.[0-9]{1,18}+)?"
_NUMBER = rf"(?:0|[1-9][0-9]{{0,17}}+){_FRACTION}"
_POSITIVE = rf"(?:[1-9][0-9]{{0,17}}+{_FRACTION}|0\.(?=0*+[1-9])[0-9]{{1,18}}+)"
_ONE = re.compile(_NUMBER)
_ALL_POSITIVE = re.compile(rf"{_POSITIVE}(?:,{_POSITIVE})*")
_ANY = re.compile(r"-?[0-9]++(?:\.[0-9]++)?(?:[eE][-+]?[0-9]++)?")
_TRADED = re.compile(f"{_POSITIVE},{_POSITIVE}")
_BEST = re.compile(",".join(4 * [_POSITIVE]))
_LEVEL = re.compile(f"{_POSITIVE},{_NUMBER}")
# The shape of a text of decimals: each digit is a 0, dots and commas are what they are, all else is not even ASCII.
_SHAPE = bytes(b"0"[0] if code in b"0123456789" else code if code in b".," else 255 for code in range(256))

_PLACES = 18  # on either side of the dot
_TOO_LONG = (_PLACES + 1) * b"0"
_LAST_PLACE = Decimal(1).scaleb(-_PLACES)
_json = msgspec.json.Encoder()
_read_numbers = msgspec.json.Decoder(list[float]).decode
_EXACT = Context(prec=2 * _PLACES + 1, rounding=ROUND_DOWN)
SHORT = 20  # characters, of which no more than 18 can be decimals

ZEROS = frozenset(["0", *(f"0.{'0' * places}" for places in range(1, 19))])  # every text of zero that passes


def check_levels(pairs: Levels) -> Numbers:
    """Raises FrameError unless all prices and sizes are decimal text and every price is above zero.

    Gives what they are as numbers, which whoever applies the levels to a book need not read once more.
    """
    if len(pairs) == 1:
        price, size = pairs[0]
        numbers = [float(price), float(size)] if _LEVEL.fullmatch(f"{price},{size}") else None
    else:
        numbers = _several(pairs) if pairs else []
    if numbers is None:
        check_numbers(*chain.from_iterable(pairs))
        raise FrameError("bad_number", "a level has the price 0")
    return numbers


def floats(pairs: Levels) -> Numbers:
    """The numbers of levels that were checked."""
    return list(map(float, chain.from_iterable(pairs)))


def _several(pairs: Levels) -> Numbers | None:
    """Read as JSON, whose numbers have no leading zero and no bare dot either: that costs less than one match over all
    of them. What else JSON allows (a sign, an exponent, blanks, more digits) is looked for in their shape.
    """
    quoted = _json.encode(pairs)
    text = quoted.translate(None, b'"[]')
    shape = text.translate(_SHAPE)
    # Brackets and quotes of the list and of each level, and none in a number's own text.
    if len(quoted) - len(text) != 6 * len(pairs) + 2 or not shape.isascii() or _TOO_LONG in shape:
        return None
    try:
        numbers = _read_numbers(b"[%b]" % text)
    except msgspec.DecodeError:
        return None
    # A text that holds a comma would be two numbers.
    return numbers if len(numbers) == 2 * len(pairs) and min(numbers[::2]) > 0 else None


def sound_levels(pairs: Levels) -> tuple[Levels, Levels]:
    """(those that ``check_levels`` lets pass, the others), each in their order."""
    sound: Levels = []
    others: Levels = []
    for pair in pairs:
        (sound if is_price(pair[0]) and _ONE.fullmatch(pair[1]) else others).append(pair)
    return sound, others


def is_price(text: str) -> bool:
    """Whether it is decimal text above zero."""
    return _ALL_POSITIVE.fullmatch(text) is not None and "," not in text


def check_numbers(*texts: str) -> None:
    """Raises FrameError naming the first text that is not a decimal number of zero or more."""
    for text in texts:
        if not _ONE.fullmatch(text):
            raise FrameError("bad_number", f"not a decimal number: {text[:40]!r}")


def check_positive(*texts: str) -> None:
    """Raises FrameError naming the first text that is not a decimal number above zero."""
    joined = ",".join(texts)
    if texts and (not _ALL_POSITIVE.fullmatch(joined) or joined.count(",") != len(texts) - 1):
        check_numbers(*texts)
        zero = next(text for text in texts if text in ZEROS)
        raise FrameError("bad_number", f"must be above zero: {zero!r}")


def check_traded(price: str, size: str) -> None:
    """``check_positive`` of a trade's price and size."""
    if not _TRADED.fullmatch(f"{price},{size}"):
        check_positive(price, size)


def check_best(bid: tuple[str, str], ask: tuple[str, str]) -> None:
    """``check_positive`` of the (price, size) of both sides: quotes are the most frequent of all messages."""
    if not _BEST.fullmatch(f"{bid[0]},{bid[1]},{ask[0]},{ask[1]}"):
        check_positive(*bid, *ask)


def quoted(price: str | None, size: str | None) -> tuple[str, str] | None:
    """One side of a quote as (price, size); None while it is empty: absent, without text, or of size or price zero."""
    if not price or not size or size in ZEROS or price in ZEROS:
        return None
    return price, size


def check_signed(*texts: str) -> None:
    """As ``check_numbers``, but a number may be below zero: funding rates, option prices."""
    check_numbers(*(text.removeprefix("-") for text in texts))


def plain(number: bytes | str) -> str:
    """A JSON number as decimal text: without quotes, and without the exponent that some venues write (``1e-05``).

    More than 18 decimals are rounded to 18, towards zero; a number that is not zero never becomes zero by that, else
    a size would delete its level. Raises FrameError when it is neither a number nor the text of one, or has more than
    18 digits before the dot.
    """
    text = number if isinstance(number, str) else str(number, "utf-8")
    text = text.strip('"')
    if len(text) <= SHORT and "e" not in text and "E" not in text:
        return text
    return _written_out(text)


def _written_out(text: str) -> str:
    if not _ANY.fullmatch(text):
        raise FrameError("bad_number", f"not a decimal number: {text[:40]!r}")
    try:
        value = Decimal(text)
    except InvalidOperation:  # an exponent beyond all measure
        raise FrameError("bad_number", f"not a decimal number: {text[:40]!r}") from None
    if not value:
        return "0"
    if value.adjusted() >= _PLACES:  # written out it could fill the memory
        raise FrameError("bad_number", f"not a decimal number of 18 digits: {text[:40]!r}")
    places = -int(value.as_tuple().exponent)
    if places > _PLACES:
        small = value.adjusted() < -_PLACES - 1
        value = _LAST_PLACE.copy_sign(value) if small else value.quantize(_LAST_PLACE, context=_EXACT)
        value = value or _LAST_PLACE.copy_sign(value)
    return f"{value:f}"
