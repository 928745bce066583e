"""Kill -9 at any statement of an hour's build: readers see the hour as it was or as it is to be, never a part."""

from itertools import count
from urllib.parse import urlsplit

from clickhouse_connect.driver.client import Client

from mdplatform.core.settings import Settings
from mdplatform.warehouse.client import connect
from mdplatform.warehouse.rollups import build_spread_hourly
from mdplatform_tests.killing import KillingRelay, worker
from mdplatform_tests.warehouse.copied import Copies
from mdplatform_tests.warehouse.rows import HOUR, after, put_books, put_status

SYMBOLS = ["BTC-USDT", "ETH-USDT"]


def put_another(client: Client, number: int) -> None:
    """One more book of each symbol."""
    put_books(client, *({"at": after(number), "sequence": number, "symbol": symbol} for symbol in SYMBOLS))


def counted(client: Client) -> dict[str, int]:
    """Books of the hour by symbol, as its row has them."""
    rows = client.query("SELECT symbol, updates FROM md_spread_hourly").result_rows
    assert len(rows) == len(dict(rows))
    return dict(rows)


def test_an_hour_whose_build_is_killed_at_any_statement_stays_whole(empty: Settings, copies: Copies) -> None:
    copies.make(empty)
    server = urlsplit(empty.clickhouse_url)
    seen = []
    with connect(empty) as client, worker("mdplatform_tests.warehouse.killed_rollups", empty.clickhouse_database) as it:
        put_status(client, "valid", after(-60), after(3600))
        put_another(client, 1)
        build_spread_hourly(client, HOUR)
        for nth in count(1):
            old, new = dict.fromkeys(SYMBOLS, nth), dict.fromkeys(SYMBOLS, nth + 1)
            put_another(client, nth + 1)
            # All of the statement arrives: the server carries it out for one who is dead, beside the next build.
            with KillingRelay((str(server.hostname), server.port or 0), nth, share=1.0) as relay:
                away = server._replace(netloc=f"{server.netloc.rpartition('@')[0]}@127.0.0.1:{relay.port}")
                killed = it.is_killed(away.geturl(), relay)
            seen.append(counted(client))
            assert seen[-1] in (old, new)
            build_spread_hourly(client, HOUR)
            assert counted(client) == new
            if not killed:
                break
    assert seen[-1] == new
    assert nth > 5  # clear, build, replace, clear, count
