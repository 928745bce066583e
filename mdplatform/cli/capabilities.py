"""What each venue offers: its channels, what proves each of them complete, and its limits."""

from __future__ import annotations

from typing import Any

from rich.markup import escape
from rich.table import Table

from mdplatform.core.session import Venue
from mdplatform.venues import venue, venue_ids


def capabilities() -> list[dict[str, Any]]:
    """One row per venue, with its channels; times in s. A budget is ``units`` of weight in any ``per_s`` seconds."""
    return [_row(venue(venue_id)) for venue_id in venue_ids()]


def tables() -> list[Table]:
    """The same as tables: one of the venues with their limits, one of their channels."""
    rows = capabilities()
    limits = _table(
        "venues", "venue", "lifetime", "REST budget", "connects", "largest frame", "liquidations sent", "address"
    )
    channels = _table("channels", "venue", "channel", "kind", "subscribed", "stale after", "proof of completeness")
    for row in rows:
        frame = "any" if row["max_frame_bytes"] is None else f"{row['max_frame_bytes'] / 2**20:g} MiB"
        budgets = _budget(row["rest_budget"]), _budget(row["connect_budget"])
        limits.add_row(
            row["venue"],
            _span(row["lifetime_s"], "no limit known"),
            *budgets,
            frame,
            row["liquidations"],
            row["ws_url"],
        )
        for channel in row["channels"]:
            subscribed = "by default" if channel["default"] else "on request"
            stale = _span(channel["stale_after_s"], "-")
            proof = escape(channel["proof"])
            channels.add_row(row["venue"], escape(channel["name"]), channel["kind"], subscribed, stale, proof)
        channels.add_section()
    return [limits, channels]


def _row(facts: Venue) -> dict[str, Any]:
    channels = [
        {
            "name": channel.name,
            "kind": channel.kind,
            "default": channel.name in facts.default_channels,
            "stale_after_s": channel.stale_after_s,
            "proof": channel.proof,
        }
        for channel in facts.channels
    ]
    return {
        "venue": facts.id,
        "ws_url": facts.ws_url,
        "rest_url": facts.rest_url,
        "lifetime_s": facts.lifetime_s,
        "rest_budget": dict(zip(("units", "per_s"), facts.rest_budget, strict=True)),
        "connect_budget": dict(zip(("units", "per_s"), facts.connect_budget, strict=True)),
        "max_frame_bytes": facts.max_frame_bytes,
        "liquidations": facts.liquidations,
        "channels": channels,
    }


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, no_wrap=column != columns[-1], overflow="fold")
    return table


def _budget(budget: dict[str, float]) -> str:
    return f"{budget['units']:g} in {_span(budget['per_s'], '')}"


def _span(seconds: float | None, unknown: str) -> str:
    if seconds is None:
        return unknown
    return f"{seconds / 3600:g} h" if seconds >= 3600 else f"{seconds:g} s"
