"""The commands around the archive: verify, restore."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from mdplatform import cli
from mdplatform.core.errors import ArchiveError
from mdplatform.core.legible import MOST_LOGGED, legible

if TYPE_CHECKING:
    from mdplatform.archive.layout import Partition, Selection
    from mdplatform.archive.manifest import Manifest
    from mdplatform.archive.store import Store

HOUR = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H", "%Y-%m-%dT%H:%M"])


def _selecting(command: Callable[..., None]) -> Callable[..., None]:
    """The argument and options that select an archive and some of its hours."""
    for option in (
        click.option("--to", "end", type=HOUR, help="Only hours before this one, UTC."),
        click.option("--from", "start", type=HOUR, help="Only hours from this one on, UTC, e.g. 2026-11-21T09."),
        click.option("--exchange", help="Only this venue, e.g. binance."),
        click.option("--dataset", help="Only this dataset, e.g. trades."),
        click.argument("root", required=False),
    ):
        command = option(command)
    return command


@click.command(epilog="Example: mdplatform verify .mdplatform/archive --dataset trades")
@_selecting
@click.option("--move-manifests", is_flag=True, help="Move manifests of before out of the files' directories.")
def verify(root: str | None, move_manifests: bool, **selected: Any) -> None:
    """Re-read an archive and prove its manifests: bytes, hashes, rows, order, times, sequences and offsets.

    ROOT is the archive's directory or address, e.g. s3://bucket/prefix [MDPLATFORM_ARCHIVE_DIR]. An hour whose
    manifest and files have all been deleted leaves no trace here; the check archive_matches_warehouse finds it.

    Earlier versions wrote each manifest beside its files, where polars stumbles over it. --move-manifests moves those
    of hours that are proven to `_manifests/`; use it while nothing is archived.
    """
    from mdplatform.archive.layout import stored
    from mdplatform.archive.publish import move_manifest
    from mdplatform.archive.verify import verify as prove

    store, selection = _opened(root), _selection(selected)
    partitions = stored(store, selection)
    _refuse_nothing(store, selection, partitions)

    def proven(partition: Partition) -> Manifest:
        manifest = prove(store, partition)
        if move_manifests:
            move_manifest(store, partition)
        return manifest

    _end(_each(partitions, "proven", proven), "are proven")


@click.command(epilog="Example: mdplatform restore --dataset trades --from 2026-11-01 --to 2026-11-02 --dry-run")
@_selecting
@click.option("--dry-run", is_flag=True, help="Prove the hours and show what would be loaded.")
def restore(root: str | None, dry_run: bool, **selected: Any) -> None:
    """Load archived hours back into ClickHouse.

    Each hour is proven first, as `verify` does, and left out if it is damaged. Rows come back with their times and
    offsets. Loading an hour twice, or one that is still there, changes nothing: tables keep one row of each identity.

    ROOT is the archive's directory or address, e.g. s3://bucket/prefix [MDPLATFORM_ARCHIVE_DIR].
    """
    from mdplatform.archive.compare import stored_batches
    from mdplatform.archive.datasets import dataset_of
    from mdplatform.archive.layout import published
    from mdplatform.archive.retention import returned
    from mdplatform.archive.verify import verify as prove
    from mdplatform.warehouse.batches import load
    from mdplatform.warehouse.client import connect

    store, selection = _opened(root), _selection(selected)
    partitions = list(published(store, selection))
    _refuse_nothing(store, selection, partitions)
    with connect(cli.settings()) as client:

        def loaded(partition: Partition) -> Manifest:
            manifest = prove(store, partition)
            if not dry_run:
                load(client, dataset_of(partition.dataset).stored_in, stored_batches(store, partition))
                returned(client, partition)
            return manifest

        _end(
            _each(partitions, "would load" if dry_run else "loaded", loaded),
            "would be loaded" if dry_run else "are loaded",
        )


def _opened(root: str | None) -> Store:
    from mdplatform.archive.open_store import store_at

    return store_at(root or cli.settings().archive_root())


def _selection(selected: dict[str, Any]) -> Selection:
    """Raises ArchiveError for a dataset that the archive does not know."""
    from mdplatform.archive.datasets import dataset_of
    from mdplatform.archive.layout import Selection

    if selected["dataset"] is not None:
        dataset_of(selected["dataset"])
    times: dict[str, datetime | None] = {name: selected[name] for name in ("start", "end")}
    hours = {name: at and at.replace(tzinfo=UTC) for name, at in times.items()}
    return Selection(selected["dataset"], selected["exchange"], **hours)


def _refuse_nothing(store: Store, selection: Selection, partitions: Iterable[Partition]) -> None:
    if not partitions:
        asked = [
            f"dataset {selection.dataset}" if selection.dataset else "",
            f"exchange {selection.exchange}" if selection.exchange else "",
            f"from {selection.start:%Y-%m-%dT%H:%M}" if selection.start else "",
            f"before {selection.end:%Y-%m-%dT%H:%M}" if selection.end else "",
        ]
        raise ArchiveError(f"{store} holds no archived hour: " + (", ".join(filter(None, asked)) or "it is empty"))


def _each(partitions: Iterable[Partition], done: str, work: Callable[[Partition], Manifest]) -> list[Manifest | None]:
    """A line for each partition as it is done; None for each that failed, whose line states the reason."""
    found = list(partitions)
    width, digits = max(len(partition.path) for partition in found), len(str(len(found)))
    results: list[Manifest | None] = []
    for number, partition in enumerate(found, 1):
        place = f"[{number:>{digits}}/{len(found)}]"
        try:
            manifest = work(partition)
        except ArchiveError as error:
            results.append(None)
            click.echo(f"{place} FAILED  {legible(str(error), MOST_LOGGED)}")
        else:
            results.append(manifest)
            click.echo(
                f"{place} {done}  {partition.path:<{width}}  {manifest.rows:>11,} rows  {manifest.bytes:>14,} bytes"
            )
    return results


def _end(results: list[Manifest | None], what: str) -> None:
    """Print the totals and exit, with code 1 if any failed."""
    good = [manifest for manifest in results if manifest is not None]
    rows, size = sum(manifest.rows for manifest in good), sum(manifest.bytes for manifest in good)
    click.echo(f"{len(good)} of {len(results)} archived hours {what}: {rows:,} rows, {size:,} bytes")
    sys.exit(0 if len(good) == len(results) else 1)
