"""``doctor``: what is set, what is wrong, and what each venue can prove."""

from __future__ import annotations

import dataclasses
import json
import time

from mdplatform.bus.kafka import KafkaBus
from mdplatform.core.codec import encode
from mdplatform.core.events import FeedStatus
from mdplatform.core.settings import Settings
from mdplatform.core.topics import Topics
from mdplatform.venues import venue, venue_ids
from mdplatform_tests.cli.calling import called

NOBODY = {"KAFKA_BROKERS": "127.0.0.1:1", "CLICKHOUSE_URL": "http://reader:swordfish@127.0.0.1:1"}


def test_every_channel_of_every_venue_is_a_line_with_its_proof() -> None:
    answer = called("doctor", "--venues", environ={"COLUMNS": "300"})
    lines = answer.stdout.decode().splitlines()
    assert answer.returncode == 0
    for venue_id in venue_ids():
        for channel in venue(venue_id).channels:
            start = f"{venue_id} {channel.name} {channel.kind} "
            assert [line for line in lines if " ".join(line.split()).startswith(start)], start


def test_columns_of_the_venues_are_aligned() -> None:
    lines = called("doctor", "--venues").stdout.decode().splitlines()
    head = next(line for line in lines if "proof of completeness" in line)
    rows = [line for line in lines if " by default " in line or " on request " in line]
    assert {line[head.index("subscribed") :].split()[0] for line in rows} <= {"by", "on"}
    assert all(line[head.index("proof") - 1 :][0] == " " for line in rows)


def test_venues_as_json_say_what_the_registry_says() -> None:
    rows = json.loads(called("doctor", "--venues", "--json").stdout)["venues"]
    assert [row["venue"] for row in rows] == list(venue_ids())
    for row in rows:
        facts = venue(row["venue"])
        assert {channel["name"] for channel in row["channels"] if channel["default"]} == set(facts.default_channels)
        assert [channel["proof"] for channel in row["channels"]] == [channel.proof for channel in facts.channels]
        assert row["rest_budget"] == {"units": facts.rest_budget[0], "per_s": facts.rest_budget[1]}


def test_what_is_wrong_is_in_the_json_too_and_no_password() -> None:
    answer = called("doctor", "--json", environ=NOBODY)
    checks = {check["claim"]: check for check in json.loads(answer.stdout)["checks"]}
    assert answer.returncode == 1
    assert checks["Python"]["ok"]
    assert not checks["Kafka"]["ok"]
    assert b"swordfish" not in answer.stdout + answer.stderr


def test_a_symbol_that_is_not_collected_is_named_with_its_cause(kafka_settings: Settings) -> None:
    bus, now_ns = KafkaBus(kafka_settings), time.time_ns()
    for symbol, cause in (("GONE-USDT", "not_listed"), ("BTC-USDT", "stopped")):
        bus.publish(*message(kafka_settings, FeedStatus("binance", symbol, "book", "down", cause, now_ns)), now_ns)
    assert bus.flush(10.0) == 0
    bus.close(1.0)
    environ = {f.metadata["variable"]: str(getattr(kafka_settings, f.name)) for f in dataclasses.fields(kafka_settings)}
    answer = called(
        "doctor", "--json", environ=environ | {"MDPLATFORM_INGEST": "binance:BTC-USDT,GONE-USDT", "CLICKHOUSE_URL": ""}
    )
    checks = {check["claim"]: check for check in json.loads(answer.stdout)["checks"]}
    found = checks["collected symbols"]["found"]
    assert not checks["collected symbols"]["ok"]
    assert found.startswith("not collected: GONE-USDT of binance (book): not_listed since")
    assert "BTC-USDT" not in found


def message(settings: Settings, status: FeedStatus) -> tuple[str, bytes, bytes]:
    return (Topics.from_settings(settings).of(status), *encode(status))
