"""Which columns of which tables each column of an hour's aggregates is made from: lineage that the UI shows."""

from __future__ import annotations

from collections.abc import Mapping

import dagster as dg

from mdplatform.defs.external.assets import table_key

DEPTH, STATUS = table_key("md_orderbook_depth"), table_key("md_feed_status")
_BEST = ("b", "a")
_BEST_SIZES = ("bv", "av")


def spread_hourly_lineage() -> dg.TableColumnLineage:
    """What of a book each column of md_spread_hourly is made from; all but ``updates`` count valid time only."""
    made: dict[str, tuple[str, ...]] = {name: () for name in ("updates", "coverage")}
    made |= {f"{kind}{share}": _BEST for kind in ("spread", "spread_bps") for share in ("", "_median", "_p95", "_p99")}
    made |= {f"mid_{moment}": _BEST for moment in ("open", "high", "low", "close")}
    made |= {"realized_volatility": _BEST, "imbalance": _BEST_SIZES, "order_flow_imbalance": _BEST + _BEST_SIZES}
    made |= {f"{side}_depth_10bps_base": (f"{side}_depth_10bps", *_BEST) for side in ("bid", "ask")}
    made |= {f"{side}_depth_10bps_quote": (f"{side}_depth_10bps", *_BEST) for side in ("bid", "ask")}
    times = {name: ("venue_time", "received_at") for name in made if name != "updates"}
    valid = _valid_time()
    lineage = {
        name: [dg.TableColumnDep(DEPTH, source) for source in (*sources, *times.get(name, ("timestamp",)))]
        + (valid if name in times else [])
        for name, sources in made.items()
    }
    for name in ("exchange", "symbol"):
        lineage[name] = [dg.TableColumnDep(DEPTH, name)]
    for name in ("hour", "timestamp"):  # one instant, by both names
        lineage[name] = [dg.TableColumnDep(DEPTH, "timestamp")]
    return dg.TableColumnLineage(lineage)


def trades_minute_lineage() -> dg.TableColumnLineage:
    """What each column of md_trades_minute is made from."""
    placed = ("venue_time", "id")
    made: dict[str, tuple[str, ...]] = {
        **{name: ("price", *placed) for name in ("open", "close")},
        **{name: ("price",) for name in ("high", "low")},
        **{name: ("price", "qty") for name in ("quote_volume", "vwap")},
        "volume": ("qty",),
        "buy_volume": ("qty", "side"),
        "trades": ("id", "first_id", "count"),
    }
    return dg.TableColumnLineage(_by_minute(table_key("md_trades"), made))


def top_of_book_minute_lineage() -> dg.TableColumnLineage:
    """What each column of md_top_of_book_minute is made from; all but ``updates`` count valid time only."""
    times = ("venue_time", "received_at")
    best = ("bid_price", "ask_price", *times)
    made: dict[str, tuple[str, ...]] = {f"mid_{moment}": best for moment in ("open", "high", "low", "close")}
    made |= {"spread": best, "spread_bps": best, "coverage": times}
    lineage = _by_minute(table_key("md_top_of_book"), {**made, "updates": ("timestamp",)})
    for name in made:
        lineage[name] += _valid_time()
    return dg.TableColumnLineage(lineage)


def _by_minute(source: dg.AssetKey, made: Mapping[str, tuple[str, ...]]) -> dict[str, list[dg.TableColumnDep]]:
    keys = {"minute": ("timestamp",), "exchange": ("exchange",), "symbol": ("symbol",)}
    return {
        name: [dg.TableColumnDep(source, column) for column in columns] for name, columns in {**keys, **made}.items()
    }


def _valid_time() -> list[dg.TableColumnDep]:
    return [dg.TableColumnDep(STATUS, name) for name in ("state", "started_ns", "ended_ns")]
