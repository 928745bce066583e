"""Nobody beyond this machine can knock: every listener of a whole stack, as the kernel lists them."""

from __future__ import annotations

import ipaddress
import json
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from mdplatform_tests.cli.calling import called

LISTENING = "0A"  # TCP_LISTEN of the kernel
PROC = Path("/proc")


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[int]:
    """The process id of a whole stack, Dagster and all."""
    if not (PROC / "net" / "tcp").exists():
        pytest.skip("listeners are looked up in /proc, which this system does not have")
    data_dir = tmp_path / "data"
    try:
        little = {"MDPLATFORM_INGEST": "binance:BTC-USDT"}
        up = called("up", "--demo", "--detach", "--json", "--data-dir", str(data_dir), environ=little, seconds=170)
        assert up.returncode == 0, up.stderr
        yield json.loads((data_dir / "stack.json").read_bytes())["pid"]
    finally:
        called("down", "--data-dir", str(data_dir), seconds=120)


def test_every_listener_of_a_stack_is_on_loopback(stack: int) -> None:
    listeners = listening(family_of(stack))
    # Kafka's broker and its relay, ClickHouse, simulator, live page, Dagster's webserver.
    assert len(listeners) >= 6
    assert [f"{address}:{port}" for address, port in listeners if not address.is_loopback] == []


def family_of(pid: int) -> set[int]:
    """The process and all that it, or what it started, has started."""
    parents = {}
    for stat in PROC.glob("[0-9]*/stat"):
        try:
            # Behind the name, which stands in brackets and may hold anything: state, parent.
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has just ended
            continue
    family = {pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return family


def listening(pids: set[int]) -> list[tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, int]]:
    """Address and port of each TCP listener that one of the processes holds."""
    held = {link for pid in pids for link in sockets_of(pid)}
    found = []
    for table in ("tcp", "tcp6"):
        for line in (PROC / "net" / table).read_text().splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if state == LISTENING and f"socket:[{rest[5]}]" in held:
                address, port = local.split(":")
                found.append((address_of(address), int(port, 16)))
    return found


def sockets_of(pid: int) -> set[str]:
    try:
        return {str(link.readlink()) for link in (PROC / str(pid) / "fd").iterdir() if link.is_symlink()}
    except OSError:
        return set()


def address_of(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The kernel writes an address as 32-bit words in the machine's own byte order."""
    # An IPv4 address on an IPv6 socket (::ffff:127.0.0.1) is that IPv4 address.
    words = struct.pack(f"={len(text) // 8}I", *(int(text[at : at + 8], 16) for at in range(0, len(text), 8)))
    family = socket.AF_INET if len(words) == 4 else socket.AF_INET6
    address = ipaddress.ip_address(socket.inet_ntop(family, words))
    return getattr(address, "ipv4_mapped", None) or address
