"""``migrate``: topics, tables and views."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from mdplatform import cli
from mdplatform.core.environment import environment
from mdplatform.core.errors import ConfigError
from mdplatform.core.settings import Settings, load


def prepare(environ: dict[str, str]) -> list[str]:
    """Create topics, tables and views for these settings; returns one line for each thing done or worth noting.

    Topics come first: a stream table takes minutes to find a topic that is created after it. Raises BusError or
    WarehouseError.
    """
    from mdplatform.bus.admin import Admin, platform_topics
    from mdplatform.venues import venue_ids
    from mdplatform.warehouse import migrations
    from mdplatform.warehouse.render import all_topics_read

    settings = load(environ)
    admin = Admin(settings)
    before = set(admin.topics())
    differences = admin.ensure([*platform_topics(settings, venue_ids()), *all_topics_read(settings)])
    lines = [f"created topic {topic}" for topic in sorted(set(admin.topics()) - before)]
    lines += [f"note: topic {d.topic} has {d.name} {d.found}, the settings say {d.wanted}" for d in differences]
    report = migrations.migrate(settings)
    lines += [f"applied {name}" for name in (*report.applied, *report.recreated)]
    lines += _first_hour(settings)
    return lines + [f"note: {note}" for note in report.notes]


def _first_hour(settings: Settings) -> list[str]:
    """Note with which hour Dagster's partitions begin: the first that was collected, else this one."""
    from mdplatform.core import first_hour
    from mdplatform.warehouse import queries
    from mdplatform.warehouse.client import connect

    with connect(settings) as client:
        rows = queries.run(client, "first_data")
    hour = rows[0]["hour"] if rows else datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    try:
        changed = first_hour.note(settings.data_dir, hour)
    except ConfigError as error:
        return [f"note: {error}; set MDPLATFORM_FIRST_HOUR={hour:%Y-%m-%dT%H:00}"]
    return (
        [f"Dagster's hours begin with {hour:%Y-%m-%d %H:00} UTC (a loaded code location: reload it)"] if changed else []
    )


@click.command(epilog="Example: mdplatform migrate")
def migrate() -> None:
    """Create or update topics, tables and views.

    Running it again changes nothing. A migration file that changed after it was applied is refused.
    """
    cli.settings()
    with cli.report_when_slow("creating topics, tables and views"):
        lines = prepare(environment())
    for line in lines or ["nothing to do: everything is up to date"]:
        click.echo(line)
