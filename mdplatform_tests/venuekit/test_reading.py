"""A frame goes to the reader of the channel that it names where the venue names it, else to what finds out."""

import re
from collections.abc import Sequence

import pytest

from mdplatform.core.session import Output
from mdplatform.core.symbols import Instruments
from mdplatform.venuekit.base_session import SocketSession
from mdplatform.venuekit.market import Market, Markets


class Reading(SocketSession[Market]):
    """Notes by which way each frame came."""

    def __init__(self, names: Sequence[bytes]) -> None:
        super().__init__("x", Markets(Instruments("x"), lambda row: Market(row, (), sequential_ids=False)), 1)
        self.taken: list[tuple[str, bytes]] = []
        self.readers = dict.fromkeys(names, self._known)

    def _known(self, frame: bytes, received_ns: int) -> list[Output]:
        self.taken.append(("reader", frame))
        return []

    def unfamiliar(self, frame: bytes, received_ns: int) -> list[Output]:
        self.taken.append(("unfamiliar", frame))
        return []


class ByStart(Reading):
    name_behind = b'{"channel":"'


class BySearch(Reading):
    name_in = re.compile(rb'"channel":"([a-z]+)"')


@pytest.mark.parametrize(
    ("kind", "frame", "way"),
    [
        (ByStart, b'{"channel":"trades","data":1}', "reader"),
        (ByStart, b'{"channel":"books","data":1}', "unfamiliar"),
        (ByStart, b'{"data":1,"channel":"trades"}', "unfamiliar"),
        (ByStart, b'{"channel":"trades', "unfamiliar"),
        (ByStart, b"", "unfamiliar"),
        (BySearch, b'{"data":1,"channel":"trades"}', "reader"),
        (BySearch, b'{"data":1,"channel":"books"}', "unfamiliar"),
        (BySearch, b'{"data":1}', "unfamiliar"),
        (Reading, b'{"channel":"trades"}', "unfamiliar"),
    ],
)
def test_a_frame_goes_by_the_name_that_it_bears(kind: type[Reading], frame: bytes, way: str) -> None:
    session = kind([b"trades"])
    session.receive(frame, 1)
    assert session.taken == [(way, frame)]
