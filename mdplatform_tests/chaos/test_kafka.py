"""The same on Apache Kafka itself: three brokers of which one is lost, one that is killed, and our claims about it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mdplatform_tests.chaos.cluster import Cluster, Missing, jars
from mdplatform_tests.chaos.conftest import Enter
from mdplatform_tests.chaos.line import Line, running
from mdplatform_tests.chaos.market import Market

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(400)]
TESTS = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def kafka_jars(pytestconfig: pytest.Config) -> Path:
    assert pytestconfig.cache is not None
    try:
        return jars(Path(pytestconfig.cache.mkdir("kafka-jars")))
    except Missing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def three(kafka_jars: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(tmp_path_factory.mktemp("three"), kafka_jars, 3) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def one(kafka_jars: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(tmp_path_factory.mktemp("one"), kafka_jars, 1) as cluster:
        yield cluster


def filling(line: Line) -> Line:
    line.collect()
    line.until_newer(seconds=180.0)
    return line


def test_claims_about_a_broker_hold_of_kafka_itself(one: Cluster) -> None:
    command = [sys.executable, "-m", "pytest", "-x", "-q", str(TESTS / "contract" / "kafka")]
    environ = {**os.environ, "KAFKA_BROKERS": one.brokers}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, cwd=TESTS.parent)
    assert done.returncode == 0, done.stdout[-3000:]


def test_a_broker_that_is_killed_and_started_again_loses_nothing(
    one: Cluster, market: Market, tmp_path: Path, enter: Enter
) -> None:
    with running(tmp_path, market, one.brokers) as line:
        filling(line)
        one.nodes[0].kill()
        one.nodes[0].start()
        recovered_s = line.until_newer(seconds=180.0)
        account = line.settled()
    enter("Kafka: the only broker killed, started again", account, recovered_s)
    assert account.is_whole


def test_one_of_three_brokers_lost_is_not_noticed(three: Cluster, market: Market, tmp_path: Path, enter: Enter) -> None:
    with running(tmp_path, market, three.brokers) as line:
        filling(line)
        three.nodes[1].kill()
        recovered_s = line.until_newer(seconds=180.0)
        line.until_newer(time.time_ns() + 5 * 10**9, seconds=180.0)
        account = line.settled()
        three.nodes[1].start()
        three.until_ready()
    enter("Kafka: one of three brokers lost", account, recovered_s)
    assert account.is_whole
