"""OKX's book files of inverse contracts hold the base units that the collector's books have."""

from __future__ import annotations

import io
import json
import tarfile
from datetime import date
from pathlib import Path

import pytest

from mdplatform.core.errors import ArchiveError
from mdplatform.core.symbols import Instrument, Kind
from mdplatform.history.files import Period, PublishedFile
from mdplatform.history.okx import BOOKS, Okx
from mdplatform.venuekit.contract_sizes import ContractSizes

INVERSE = Instrument(
    exchange="okx",
    venue_symbol="BTC-USD-SWAP",
    base="BTC",
    quote="USD",
    kind=Kind.PERPETUAL,
    contract_size="100",
    multiplier="1",
    inverse=True,
    settle="BTC",
)
BIDS, ASKS = [("64000.1", "15"), ("63999.7", "3")], [("64000.3", "7"), ("64123.9", "123456")]


def made(folder: Path, *lines: tuple[str, list[tuple[str, str]], list[tuple[str, str]]]) -> Path:
    rows = [
        {"instId": INVERSE.venue_symbol, "action": action, "ts": str(1_756_771_200_000 + n), "asks": asks, "bids": bids}
        for n, (action, bids, asks) in enumerate(lines)
    ]
    body = "".join(f"{json.dumps(row)}\n" for row in rows).encode()
    path = folder / "books.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo("books.data")
        member.size = len(body)
        archive.addfile(member, io.BytesIO(body))
    return path


def loaded(path: Path) -> list[dict[str, object]]:
    file = PublishedFile("okx", BOOKS, INVERSE.venue_symbol, Period((date(2025, 9, 2),)))
    return [row for table in Okx().rows([path], file, INVERSE, False, print) for row in table.to_pylist()]


def test_each_level_is_worth_its_contracts_at_its_own_price(tmp_path: Path) -> None:
    gone = [("64000.3", "0")]
    first, second = loaded(made(tmp_path, ("snapshot", BIDS, ASKS), ("update", [], gone)))
    base = ContractSizes(INVERSE).base
    assert first["bv"] == [float(base(price, size)) for price, size in BIDS]
    assert first["av"] == [float(base(price, size)) for price, size in ASKS]
    assert (second["a"], second["av"]) == ([64000.3], [0.0])


def test_a_level_without_a_price_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="no price: '0'"):
        loaded(made(tmp_path, ("snapshot", [("0", "1")], ASKS)))
