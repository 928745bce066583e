"""``connect``: how other programs connect to ClickHouse."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

import click

from mdplatform.cli.stack import data_dir_option
from mdplatform.core.environment import environment
from mdplatform.core.errors import ConfigError
from mdplatform.core.legible import legible_lines
from mdplatform.core.settings import Settings, load

FORMATS = ("text", "url", "curl")


@click.command(epilog="Example: mdplatform connect --format curl | curl -K - --data-binary 'SELECT version()'")
@click.option("--write", is_flag=True, help="Show the user with all rights [the read-only user].")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@data_dir_option
def connect(write: bool, form: str, data_dir: Path | None) -> None:
    """Show the address, user and password of ClickHouse, for Grafana, DBeaver and other programs.

    They are those of the stack that runs on the data directory, or of CLICKHOUSE_READER_URL and CLICKHOUSE_URL.
    --format url is for clickhouse-connect (dsn=), --format curl for curl's option -K: both keep the password off
    command lines, which every user of the machine can read.
    """
    given = environment(data_dir)
    if not given.get("CLICKHOUSE_URL"):
        where = data_dir or load(given).data_dir
        raise ConfigError(f"no ClickHouse runs on {where}, and CLICKHOUSE_URL is not set: start one: `mdplatform up`")
    settings = load(given)
    shown = _shown(_address(settings, write), settings.clickhouse_database, form)
    click.echo(legible_lines(shown) if sys.stdout.isatty() else shown)


def _address(settings: Settings, write: bool) -> SplitResult:
    return urlsplit(settings.clickhouse_url if write else settings.clickhouse_reader_url or settings.clickhouse_url)


def _shown(at: SplitResult, database: str, form: str) -> str:
    server = f"{at.scheme}://{at.netloc.rpartition('@')[2]}"
    user, password = unquote(at.username or "default"), unquote(at.password or "")
    if form == "url":
        return f"{at.scheme}://{at.netloc}/{database}"
    if form == "curl":
        login = f"{user}:{password}".replace("\\", "\\\\").replace('"', '\\"')
        return f'url = "{server}/?database={database}"\nuser = "{login}"'
    rows = {"address": server, "user": user, "password": password, "database": database}
    return "\n".join(f"{name:<9} {value}" for name, value in rows.items())
