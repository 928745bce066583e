"""The past as venues publish it: a day, or a range of days in one run, of each instrument of MDPLATFORM_HISTORY.

Each day is reported by an event of its own, as hours are: Dagster (1.13) would report a range only at its end.
"""

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import dagster as dg
from clickhouse_connect.driver.client import Client
from pydantic import Field

from mdplatform.core.errors import ArchiveError, FeedError
from mdplatform.core.symbols import Instrument
from mdplatform.defs.asset_metadata import table_schema
from mdplatform.defs.failures import RETRY, fail, plainly
from mdplatform.defs.history.datasets import CHECKS, DATASETS, Check, Dataset
from mdplatform.defs.history.files import Loaded, Loader, listed
from mdplatform.defs.hours.findings import SHOWN_ROWS, markdown
from mdplatform.defs.resources import Platform
from mdplatform.history.files import Kind, Period
from mdplatform.history.layout import PUBLISHERS, HistoryFile
from mdplatform.history.wanted import Wanted, base_url, wanted
from mdplatform.warehouse import queries


class HistoryConfig(dg.Config):
    """How to load."""

    again: bool = Field(default=False, description="Load files again whose checksum is known: rows may have been lost.")


@dataclass
class PeriodResult:
    """What became of the files of one period."""

    files: list[Loaded] = field(default_factory=list)
    absent: list[HistoryFile] = field(default_factory=list)  # the venue has no such file
    refused: list[tuple[HistoryFile, str]] = field(default_factory=list)  # and why

    def loaded(self, day: date) -> list[Loaded]:
        return [loaded for loaded in self.files if day in loaded.file.period.days]

    def faults(self, day: date, may_lack: bool) -> list[str]:
        """Why the day is not whole: a file was refused, or there is none at all, which of some kinds is no fault."""
        refused = [reason for file, reason in self.refused if day in file.period.days]
        if refused or self.loaded(day) or may_lack:
            return refused
        names = ", ".join(file.path for file in self.absent if day in file.period.days)
        return [f"{day} has no file{': the venue has not published ' + names if names else ' of this kind'}"]


@dg.multi_asset(
    name="history",
    specs=[dataset.spec for dataset in DATASETS],
    check_specs=[check.spec for check in CHECKS],
    can_subset=True,
    backfill_policy=dg.BackfillPolicy.single_run(),
    retry_policy=RETRY,
    pool="clickhouse",
    description="Month by month where a month is whole, else day by day: fetched, proven by its checksum, stored.",
)
def history(context: dg.AssetExecutionContext, config: HistoryConfig, platform: Platform) -> Iterator[Any]:
    if not (context.has_partition_key or context.has_partition_key_range):
        fail("this run names no day: choose a partition, or a range of them")
    days = [date.fromisoformat(key) for key in context.partition_keys]
    faults: dict[str, None] = {}
    with plainly(context), platform.warehouse() as client:
        work = Work(context, client, platform, config.again)
        for dataset in (d for d in DATASETS if d.spec.key in context.selected_asset_keys):
            for period in dataset.periods(days):
                faults |= dict.fromkeys((yield from work.on(dataset, period)))
        for check in (c for c in CHECKS if c.spec.key in context.selected_asset_check_keys):
            yield from (judge(client, check, day) for day in days)
            yield dg.Output(None, check.spec.get_python_identifier())  # the step has its output; the events are above
    if faults:
        fail(f"not all was loaded: {'; '.join(faults)}")


@dataclass(frozen=True)
class Work:
    """What is done to one period after the other."""

    context: dg.AssetExecutionContext
    client: Client
    platform: Platform
    again: bool

    def on(self, dataset: Dataset, period: Period) -> Generator[dg.AssetMaterialization, None, list[str]]:
        """Load the period's files; yields an event for each whole day, returns what is wrong with the other days."""
        started, result, faults = time.monotonic(), PeriodResult(), list[str]()
        offered = [(one, dataset.kinds(one.venue, one.symbol)) for one in wanted(self.platform.settings())]
        if offered and not any(kinds for _, kinds in offered):
            self.context.log.info(f"{dataset.name}: no instrument of MDPLATFORM_HISTORY has files of this kind")
            return faults
        for one, kinds in offered:
            if kinds:
                self._load(dataset, one, kinds, period, result)
        for day in period.days:
            if wrong := result.faults(day, dataset.may_lack):
                faults += wrong
            elif result.loaded(day) or not dataset.may_lack:
                yield self._materialized(dataset, day, result)
        self.context.log.info(
            f"{dataset.name} {period}: {len(result.files)} files in {time.monotonic() - started:.1f} s, "
            f"{len(result.absent)} not published, {len(result.refused)} refused"
        )
        return faults

    def _load(
        self, dataset: Dataset, one: Wanted, kinds: tuple[Kind, ...], period: Period, result: PeriodResult
    ) -> None:
        """The month's file, or where the venue has none (yet) those of its days; of each the first kind there is."""
        instrument, publisher = listed(self.client, one), PUBLISHERS[one.venue]
        spans = [period]
        while spans:
            span = spans.pop(0)
            files = [HistoryFile(one.venue, kind, instrument.venue_symbol, span, one.symbol) for kind in kinds]
            loaded = None
            try:
                if not span.monthly or publisher.has_months(kinds[0]):
                    loaded = next(filter(None, (self._loaded(dataset, file, instrument) for file in files)), None)
            except (ArchiveError, FeedError) as error:
                result.refused.append((files[0], str(error)))
                continue
            if loaded:
                result.files.append(loaded)
                for note in loaded.notes:
                    self.context.log.warning(note)
            elif span.monthly and publisher.has_days(kinds[0]):
                spans = [Period((day,)) for day in span.days]
            else:
                result.absent.append(files[0])

    def _loaded(self, dataset: Dataset, file: HistoryFile, instrument: Instrument) -> Loaded | None:
        folder = self.platform.data_dir() / "history"
        loader = Loader(self.client, base_url(self.platform.settings(), file), folder, self.again)
        return loader.load(file, instrument, f"{dataset.table}_store")

    def _materialized(self, dataset: Dataset, day: date, result: PeriodResult) -> dg.AssetMaterialization:
        key, files = day.isoformat(), result.loaded(day)
        lines = [f"| {f.file.path} | {f.days.get(key, 0)} | `{f.sha256}` | {f.fresh} |" for f in files]
        absent = [file.path for file in result.absent if day in file.period.days]
        metadata: dict[str, Any] = {
            "dagster/partition_row_count": sum(f.days.get(key, 0) for f in files),
            "dagster/column_schema": table_schema(self.client, dataset.table),
            "files": dg.MetadataValue.md("\n".join(["| file | rows | sha256 | new |", "|---|---|---|---|", *lines])),
            "not_published": dg.MetadataValue.md(", ".join(absent) or "none"),
            "remarks": "; ".join(note for f in files for note in f.notes) or "none",
        }
        return dg.AssetMaterialization(dataset.name, partition=key, metadata=metadata)


def judge(client: Client, check: Check, day: date) -> dg.AssetCheckEvaluation:
    """The day's rows that the check finds."""
    rows = queries.run(client, check.spec.name, day=day, limit=SHOWN_ROWS, **check.parameters)
    metadata: dict[str, Any] = {"bad_rows": rows[0]["bad_rows"] if rows else 0}
    if rows:
        metadata |= {"first_rows": dg.MetadataValue.md(markdown(rows)), "next_step": check.next_step}
    return dg.AssetCheckEvaluation(
        asset_key=check.spec.asset_key,
        check_name=check.spec.name,
        passed=not rows,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=metadata,
        partition=day.isoformat(),
    )
