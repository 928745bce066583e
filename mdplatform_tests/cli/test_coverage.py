"""``coverage`` as a command."""

from __future__ import annotations

import json

import pytest

from mdplatform.core.settings import Settings
from mdplatform.warehouse.client import connect
from mdplatform_tests.cli.calling import called, refused
from mdplatform_tests.warehouse.copied import Copies
from mdplatform_tests.warehouse.rows import after, put_status

SPAN = ("--from", "2024-08-08T22:00", "--to", "2024-08-09T00:00")


@pytest.fixture
def environ(empty: Settings, copies: Copies) -> dict[str, str]:
    copies.make(empty)
    with connect(empty) as client:
        put_status(client, "valid", after(0), after(600))
        put_status(client, "gap", after(600), after(960), cause="<sequence>", missed=7)
        put_status(client, "valid", after(960), after(7200))
    return {"CLICKHOUSE_URL": empty.clickhouse_url, "MDPLATFORM_DATABASE": empty.clickhouse_database}


def said(environ: dict[str, str], *options: str) -> str:
    answer = called("coverage", *SPAN, *options, environ=environ)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.decode()


def test_the_map_the_numbers_and_the_page_state_the_gap(environ: dict[str, str]) -> None:
    table, found, page = said(environ), json.loads(said(environ, "--format", "json")), said(environ, "--format", "html")
    assert "binance BTC-USDT book" in table
    assert "95.0000 %" in table
    assert "gap (<sequence>), 7 missed" in table
    assert [cell["proven"] for cell in found["cells"]] == [0.9, 1.0]
    assert (found["gaps"][0]["cause"], found["totals"][0]["missed"]) == ("<sequence>", 7)
    assert "gap (&lt;sequence&gt;), 7 missed" in page


def test_what_nobody_collects_is_said_in_a_line(environ: dict[str, str]) -> None:
    assert said(environ, "--venue", "okx") == "nothing is known of any such feed in this range\n"
    assert refused(called("coverage", "--dataset", "spreads", environ=environ)).startswith("'spreads' comes by no")
