"""An alert while a disk can still be helped, and a graver one when it is nearly full."""

from datetime import UTC, datetime

import dagster as dg
from clickhouse_connect.driver.client import Client

from mdplatform.defs.alerts.disks import disk_watch, room_alerts
from mdplatform.defs.resources import Platform
from mdplatform.warehouse.sizes import Room

NOW = datetime(2026, 11, 30, tzinfo=UTC)


def test_a_disk_is_a_warning_then_an_error_then_over() -> None:
    found = [room_alerts([Room("disk", free, 1000, growth)], NOW)[0] for free, growth in ((90, 0), (10, 0), (900, 1))]
    assert [(alert.severity, alert.text is None) for alert in found] == [
        ("warning", False),
        ("error", False),
        ("error", True),
    ]
    assert found[0].text == "disk: 90 B of 1.0 kB free, +0 B a day"


def test_the_text_says_when_it_is_full() -> None:
    (alert,) = room_alerts([Room("disk", 500, 1000, 250)], NOW)
    assert str(alert.text).endswith("full on 2026-12-02 00:00 UTC at this pace")


def test_the_tick_says_how_much_room_there_is(
    warehouse: Client, platform: Platform, instance: dg.DagsterInstance
) -> None:
    with dg.build_sensor_context(instance=instance, resources={"platform": platform}) as context:
        found = disk_watch(context)
    assert isinstance(found, dg.SensorResult)
    assert found.skip_reason is not None
    assert "ClickHouse's disk default: " in str(found.skip_reason.skip_message)
