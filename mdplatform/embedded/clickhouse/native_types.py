"""ClickHouse type names taken apart: "Map(String, Array(UInt8))" becomes a small tree."""

from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Type:
    name: str
    arguments: tuple[str, ...] = ()

    @property
    def inner(self) -> "tuple[Type, ...]":
        """The arguments as types; of a named Tuple or Nested without the names."""
        return tuple(parse_type(_unnamed(argument)) for argument in self.arguments)


@lru_cache(maxsize=4096)
def parse_type(text: str) -> Type:
    name, bracket, rest = text.strip().partition("(")
    if not bracket:
        return Type(name.strip())
    return Type(name.strip(), tuple(split_types(rest.strip().removesuffix(")"))))


def _unnamed(argument: str) -> str:
    """ "price Decimal(18, 8)" -> "Decimal(18, 8)"; a name may be quoted with backticks."""
    if argument.startswith("`"):
        return argument[1:].partition("`")[2].strip()
    head, space, rest = argument.partition(" ")
    return rest if space and "(" not in head else argument


def split_types(types: str) -> list[str]:
    """Split "UInt8, Tuple(a Int8, b String)" at the commas outside brackets."""
    found, depth, begin = [], 0, 0
    for at, letter in enumerate(types + ","):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            found.append(types[begin:at].strip())
            begin = at + 1
    return [kind for kind in found if kind]
