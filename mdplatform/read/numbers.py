"""Numbers as people and files have them."""

from __future__ import annotations

from decimal import Decimal


def shortest(value: float) -> str:
    """The shortest text that reads back as just this number, without an exponent."""
    text = repr(value)
    if "e" in text:
        text = f"{Decimal(text):f}"
    return text.removesuffix(".0")
