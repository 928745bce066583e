"""What a stack's own parts imply for the settings of all others."""

from pathlib import Path

import pytest

from mdplatform.core.settings import load
from mdplatform.embedded.stack import Plan, Stack


@pytest.mark.parametrize(("parts", "consumers"), [(("broker",), 2), (("broker", "clickhouse"), 1)])
def test_the_embedded_clickhouse_has_one_consumer_a_stream(
    tmp_path: Path, parts: tuple[str, ...], consumers: int
) -> None:
    stack = Stack(Plan(tmp_path, parts, {"MDPLATFORM_KAFKA_CONSUMERS": "2"}), lambda _: None, lambda _: None)
    assert load(stack.environ).kafka_consumers == consumers
