"""``query``: SQL in the warehouse."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from mdplatform import cli
from mdplatform.core.errors import ConfigError, WarehouseError
from mdplatform.core.legible import LegibleStream, legible, legible_lines
from mdplatform.core.private import AS_USUAL, private_file

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

# The name in `--format` and ClickHouse's name. A table is drawn here, from these texts.
FORMATS = {
    "table": "JSONCompactStringsEachRowWithNamesAndTypes",
    "csv": "CSVWithNames",
    "tsv": "TSVWithNames",
    "json": "JSONEachRow",
    "parquet": "Parquet",
}
PLOT = "plot"
SUFFIXES = {"jsonl": "json", "txt": "table"}  # beside the formats' own names
READONLY = 164
PLAIN_WIDTH = 100  # columns of a plot that is written to a file

_GIVES_ROWS = re.compile(r"\s*(?:SELECT|WITH|SHOW|DESC|DESCRIBE|EXPLAIN|EXISTS|FROM)\b", re.IGNORECASE)
_HAS_FORMAT = re.compile(r"\bFORMAT\s+\w+\s*;?\s*$", re.IGNORECASE)
_COMMENTS = re.compile(r"^\s*--.*$", re.MULTILINE)


class Named(click.ParamType[tuple[str, str]]):
    """``NAME=VALUE``."""

    name = "name=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, equals, text = str(value).partition("=")
        if not (name and equals):
            self.fail(f"{value!r} does not read NAME=VALUE", param, ctx)
        return name, text


@click.command(
    epilog='Example: mdplatform query "SELECT exchange, symbol, count() FROM md_trades GROUP BY ALL"; '
    "mdplatform query --name ohlcv --param symbol=ETH-USDT --format plot"
)
@click.option(
    "--format", "form", type=click.Choice([*FORMATS, PLOT]), help="[table, or what the name of --output ends in]"
)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file.")
@click.option("--name", "named", help="Run a named query of sql/analysis instead.")
@click.option("--param", "params", type=Named(), multiple=True, help="A parameter of the query; may be repeated.")
@click.option(
    "--describe", "table", help="Show the columns of this table or view with their units and meanings instead."
)
@click.option("--list", "listed", is_flag=True, help="List the named queries with their parameters.")
@click.option("--write", is_flag=True, help="Use all rights of CLICKHOUSE_URL: the statement may change data.")
@click.argument("sql", required=False)
def query(
    sql: str | None,
    form: str | None,
    output: Path | None,
    named: str | None,
    params: tuple[tuple[str, str], ...],
    table: str | None,
    listed: bool,
    write: bool,
) -> None:
    """Run SQL in the warehouse and print the rows.

    SQL is one statement, or - to read it from standard input; without any, a terminal asks for them, each ended by a
    semicolon, with history and completion. {name:Type} in it is a parameter. It runs as the user
    of CLICKHOUSE_READER_URL, or else as that of CLICKHOUSE_URL, read-only and for at most a minute. --format plot draws
    the first column along the x axis and the others as lines or bars.
    """
    if listed:
        click.echo(_known())
        return
    if (sql, named, table) == (None, None, None) and output is None and sys.stdin.isatty() and sys.stdout.isatty():
        _interactive(form or "table", dict(params), write)
        return
    if sum(given is not None for given in (sql, named, table)) != 1:
        raise click.UsageError("give one statement, --name with a name of --list, or --describe with a table")
    if table is not None:
        with _asked(write) as connection:
            click.echo(legible_lines(_columns(connection, table)))
        return
    text, values = _question(sql, named, dict(params))
    chosen = form or _of_name(output)
    if chosen == "parquet" and output is None and sys.stdout.isatty():
        raise ConfigError("Parquet is not for a terminal: give --output FILE or a pipe")
    with cli.report_when_slow("the query is running, Ctrl-C ends it"), _asked(write) as connection:
        _answer(connection, text, values, chosen, output)


def _interactive(form: str, params: dict[str, str], write: bool) -> None:
    from mdplatform.terminal.prompt import ask
    from mdplatform.warehouse.dictionary import columns

    with _asked(write) as connection:
        known, database = columns(connection), str(connection.database)
    words = {
        name for column in known if column.engine in ("View", "Parameterized") for name in (column.table, column.name)
    }
    folder = Path(cli.settings().data_dir)

    def run(statement: str) -> None:
        with _asked(write) as connection:
            _answer(connection, statement, params, form, None)

    ask(run, words, folder / "query_history" if folder.is_dir() else None, database)


def _known() -> str:
    from mdplatform.warehouse.analysis import analyses

    lines = []
    for question in analyses().values():
        lines.append(f"{question.name}\n  {question.title}")
        lines += [f"    {name}={p.default}  {p.meaning}" for name, p in question.parameters.items()]
    return "\n".join(lines)


def _columns(connection: Client, table: str) -> str:
    from mdplatform.warehouse.dictionary import columns

    known = columns(connection)
    rows = [(column.name, column.type, column.unit, column.comment) for column in known if column.table == table]
    if not rows:
        views = sorted({column.table for column in known if column.engine == "View"})
        raise ConfigError(f"there is no table {table!r} in {connection.database}; views: {', '.join(views) or 'none'}")
    widths = [max(len(row[place]) for row in rows) for place in range(3)]
    return "\n".join(
        "  ".join([*(f"{text:<{width}}" for text, width in zip(row, widths, strict=False)), row[3]]) for row in rows
    )


def _question(sql: str | None, named: str | None, given: dict[str, str]) -> tuple[str, dict[str, str]]:
    if named is None:
        return (sys.stdin.read() if sql == "-" else str(sql)), given
    from mdplatform.warehouse.analysis import analysis

    question = analysis(named)
    return question.sql, question.bound(given, datetime.now(UTC))


def _of_name(output: Path | None) -> str:
    ending = output.suffix.removeprefix(".").lower() if output else ""
    found = SUFFIXES.get(ending, ending)
    return found if found in FORMATS else "table"


@contextlib.contextmanager
def _asked(write: bool) -> Iterator[Client]:
    """A connection; where it refuses to write, the error names the option that allows it."""
    from mdplatform.warehouse.client import connect, connect_reader, error_code, warehouse_errors

    settings = cli.settings()
    with (connect if write else connect_reader)(settings, settings.clickhouse_database) as connection:
        try:
            with warehouse_errors(connection.uri, "run the query"):
                yield connection
        except WarehouseError as error:
            if error_code(error) == READONLY and not write:
                raise WarehouseError(f"{error}: `query` is read-only without --write") from error
            raise


def _answer(connection: Client, text: str, values: dict[str, str], chosen: str, output: Path | None) -> None:
    if chosen == PLOT:
        from mdplatform.read.plot import picture

        found = connection.query(text, parameters=values, tz_mode="aware")
        columns = dict(zip(map(legible, found.column_names), map(_drawn, found.result_columns), strict=True))
        to_people = output is None and sys.stdout.isatty()
        width = _terminal_width() if to_people else PLAIN_WIDTH
        with _target(output, as_it_is=True) as target:
            target.write(f"{picture(columns, width, to_people)}\n".encode())
        return
    from mdplatform.terminal.grid import table

    given = _HAS_FORMAT.search(text) or not _GIVES_ROWS.match(_COMMENTS.sub("", text))
    # An error in the middle must not look like the end of the rows.
    whole = {"wait_end_of_query": 1}
    with (
        connection.raw_stream(text, parameters=values, settings=whole, fmt=None if given else FORMATS[chosen]) as rows,
        _target(output) as target,
    ):
        if given or chosen != "table":
            shutil.copyfileobj(rows, target)
            return
        text = table(rows, _terminal_width() if output is None and sys.stdout.isatty() else None)
        target.write(f"{text}\n".encode() if text else b"")
    if not text:
        click.echo("no rows", err=True)


def _terminal_width() -> int:
    return shutil.get_terminal_size().columns


def _drawn(column: Sequence[Any]) -> Sequence[Any]:
    """A column with control characters escaped: they would mix with the plot's colour codes."""
    return [legible(value) if isinstance(value, str) else value for value in column]


@contextlib.contextmanager
def _target(output: Path | None, as_it_is: bool = False) -> Iterator[IO[bytes] | LegibleStream]:
    """Standard output, escaped on a terminal unless ``as_it_is``; or a file that appears once it is complete."""
    if output is None:
        yield sys.stdout.buffer if as_it_is else cli.output()
        return
    unfinished = output.with_name(f".{output.name}.part")
    try:
        with private_file(unfinished, AS_USUAL) as target:
            yield target
        os.replace(unfinished, output)
    except OSError as error:
        raise ConfigError(f"cannot write {output}: {error.strerror}") from None
    finally:
        unfinished.unlink(missing_ok=True)
