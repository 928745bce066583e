"""What is done with the running deployment, act by act; each gives what was found, or raises where it does not hold."""

from __future__ import annotations

import json
import time
import urllib.error
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from mdplatform.defs.partitions import key_of
from mdplatform_tests.rehearsal.deployment import Deployment, Front, seconds_until

BACKUP = "rehearsal.tar"
LAUNCH = """mutation($run: ExecutionParams!) { launchRun(executionParams: $run) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
STATUS = "query($run: ID!) { runOrError(runId: $run) { ... on Run { status } } }"
RUNS = "{ runsOrError(limit: 1000) { ... on Runs { results { runId } } } }"
NEWER = "SELECT count() FROM md_top_of_book WHERE timestamp > fromUnixTimestamp64Milli({ms})"
# As docs/server.md says, but for the user: the stand-in's owner is called `default`.
RESTORE = f"""wget -q -O - --header 'X-ClickHouse-User: default' --header "X-ClickHouse-Key: $CLICKHOUSE_PASSWORD" \\
  --post-data "RESTORE DATABASE marketdata FROM File('{BACKUP}')" http://127.0.0.1:8123/"""
TABLES = ("md_top_of_book", "md_trades", "md_feed_status", "md_spread_hourly")


class Untrue(Exception):
    """Something that was to hold did not."""


def newest_rows(deployment: Front, after: float) -> bool:
    """Rows that are newer than that time (seconds) are in ClickHouse."""
    return int(deployment.read(NEWER.format(ms=round(after * 1000)))) > 0


def counts(deployment: Front) -> dict[str, int]:
    return {table: int(deployment.read(f"SELECT count() FROM {table}")) for table in TABLES}


def collect(deployment: Front) -> str:
    """Both simulated venues fill the tables."""
    asked = "SELECT uniqExact(exchange, symbol) FROM md_top_of_book"
    seconds = seconds_until(lambda: deployment.read(asked) == "4")
    return f"4 feeds in md_top_of_book after {seconds:.0f} s"


def build_hour(deployment: Front) -> str:
    """The running hour is built, checked and archived by a run that an operator launches, and the archive is whole."""
    now = datetime.now(UTC)
    location = {
        "repositoryLocationName": "mdplatform",
        "repositoryName": "__repository__",
        "pipelineName": "hourly_build",
    }
    tags = [{"key": "dagster/partition", "value": key_of(now.replace(minute=0, second=0, microsecond=0))}]
    run = {"selector": location, "runConfigData": {}, "executionMetadata": {"tags": tags}}
    launched = deployment.graphql(LAUNCH, run=run)["launchRun"]
    if "run" not in launched:
        raise Untrue(f"Dagster does not launch hourly_build: {launched}")
    run_id = launched["run"]["runId"]

    def ended() -> bool:
        """The run of hourly_build has ended."""
        return deployment.graphql(STATUS, run=run_id)["runOrError"]["status"] in ("SUCCESS", "FAILURE", "CANCELED")

    seconds = seconds_until(ended)
    status = deployment.graphql(STATUS, run=run_id)["runOrError"]["status"]
    proof = deployment.run("exec", "-T", "code", "mdplatform", "verify").splitlines()[-1]
    if status != "SUCCESS":
        raise Untrue(f"hourly_build ended as {status}")
    return f"{status} in {seconds:.0f} s; verify: {proof}"


def read_as_the_reader(deployment: Front) -> str:
    """The reader reads, and writes nothing."""
    rows = deployment.read("SELECT count() FROM md_trades")
    for sql in (
        "TRUNCATE TABLE md_trades_store",
        "CREATE TABLE marketdata.x (a Int8) ENGINE = Memory",
        "SYSTEM SHUTDOWN",
    ):
        _refused(sql, lambda sql=sql: deployment.read(sql))  # type: ignore[misc]
    return f"{rows} trades; 3 of 3 attempts to change something refused"


def look_at_the_page(deployment: Front) -> str:
    """The live page wants its token, and Dagster's answers no foreign page."""
    token = {"Authorization": f"Bearer {deployment.secrets['MDPLATFORM_DASHBOARD_TOKEN']}"}
    health = json.loads(deployment.get("DASHBOARD_PORT", "/healthz", token))
    _refused("the page without its token", lambda: deployment.get("DASHBOARD_PORT", "/healthz"))
    foreign = {"Origin": "https://elsewhere.example"}
    _refused("Dagster for a foreign page", lambda: deployment.get("DAGSTER_PORT", "/server_info", foreign))
    return f"with its token: {', '.join(sorted(health))}; without it, and for a foreign page, refused"


def kill(deployment: Deployment, service: str) -> float:
    """Seconds from SIGKILL until the service is healthy again and rows are newer than the kill."""
    began, at = time.monotonic(), time.time()
    before = deployment.started(service)
    deployment.kill(service)

    def recovered() -> bool:
        """The killed service is healthy again, and what is collected arrives."""
        is_up = deployment.started(service) != before and deployment.states()[service] == "healthy"
        return is_up and newest_rows(deployment, at + 1)

    return seconds_until(recovered, began)


def down_and_up(deployment: Deployment) -> str:
    """Everything is ended in order and brought up again with what it had."""
    before = counts(deployment)
    began = time.monotonic()
    deployment.down()
    ended = time.monotonic() - began
    up = max(deployment.up().values())
    seconds_until(lambda: newest_rows(deployment, time.time() - 5))
    _kept(before, counts(deployment))
    return f"down in {ended:.0f} s, healthy after {up:.0f} s, all {sum(before.values()):,} rows there"


def back_up_and_restore(deployment: Deployment, directory: Path) -> str:
    """ClickHouse and Postgres are backed up, lost, and restored, by the commands of docs/server.md."""
    archive, dump = directory / BACKUP, directory / "dagster.dump"
    inside = f"/var/lib/clickhouse/backups/{BACKUP}"
    run = deployment.run
    began = time.monotonic()
    run("exec", "-T", "clickhouse", "rm", "-f", inside)
    run("exec", "-T", "code", "mdplatform", "query", "--write", f"BACKUP DATABASE marketdata TO File('{BACKUP}')")
    run("exec", "-T", "clickhouse", "cat", inside, output_file=archive)
    run("exec", "-T", "postgres", "pg_dump", "-U", "dagster", "-Fc", "dagster", output_file=dump)
    before, runs = counts(deployment), _runs(deployment)
    saved = time.monotonic() - began

    deployment.down()
    deployment.forget("clickhouse", "postgres")
    began = time.monotonic()
    run("up", "--detach", "clickhouse", "postgres")  # not the broker: nothing may flow in meanwhile
    seconds_until(lambda: {deployment.states()[name] for name in ("clickhouse", "postgres")} == {"healthy"})
    run(
        "exec",
        "-T",
        "clickhouse",
        "sh",
        "-c",
        f"mkdir -p /var/lib/clickhouse/backups; cat > {inside}",
        input_file=archive,
    )
    run("exec", "-T", "clickhouse", "sh", "-c", RESTORE)
    run("exec", "-T", "postgres", "pg_restore", "-U", "dagster", "-d", "dagster", "--no-owner", input_file=dump)
    restored = time.monotonic() - began
    deployment.up()
    seconds_until(lambda: newest_rows(deployment, time.time() - 5))
    _kept({table: round(rows * 0.9) for table, rows in before.items()}, counts(deployment))
    if _runs(deployment) < runs:
        raise Untrue(f"Dagster knows {_runs(deployment)} runs after the restore, {runs} before")
    sizes = f"{archive.stat().st_size / 1e6:.1f} and {dump.stat().st_size / 1e6:.1f} MB"
    return f"saved in {saved:.0f} s ({sizes}), restored in {restored:.0f} s, {runs} runs and all rows there"


def _runs(deployment: Front) -> int:
    """How many runs Dagster knows."""
    return len(deployment.graphql(RUNS)["runsOrError"]["results"])


def _kept(before: dict[str, int], after: dict[str, int]) -> None:
    lost = {table: (rows, after[table]) for table, rows in before.items() if after[table] < rows}
    if lost:
        raise Untrue(f"rows are missing (before, after): {lost}")


def _refused(what: str, attempt: Callable[[], object]) -> None:
    try:
        attempt()
    except urllib.error.HTTPError as error:
        if error.code in (401, 403, 405, 500):  # ClickHouse answers 403 or 500 to what a user may not do
            return
        raise
    raise Untrue(f"{what}: was answered")
