"""What is done with the running deployment, act by act; each gives what was found, or raises where it does not hold."""

from __future__ import annotations

import json
import os
import re
import signal
import time
import urllib.error
import urllib.parse
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mdplatform.defs.partitions import key_of
from mdplatform_tests.rehearsal.deployment import Deployment, Front, seconds_until

BACKUP = "rehearsal.tar"
KILLED_BY_DOCKER = 137
LAUNCH = """mutation($run: ExecutionParams!) { launchRun(executionParams: $run) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
STATUS = "query($run: ID!) { runOrError(runId: $run) { ... on Run { status } } }"
RUNS = "{ runsOrError(limit: 1000) { ... on Runs { results { runId } } } }"
NEWER = (
    "SELECT count() FROM md_top_of_book WHERE timestamp > fromUnixTimestamp64Milli({ms}) AND exchange LIKE '{venue}'"
)
VENUE = "binance"
OURS = ("code", "webserver", "daemon", "dashboard", "signals", "metrics")
# Of each collector's log the last line that accounts for what it had.
ACCOUNTS = 'for log in /var/lib/mdplatform/logs/collect-*.log; do grep acknowledged "$log" | tail -n 1; done'
# As docs/server.md says, but for the user: the stand-in's owner is called `default`.
RESTORE = f"""wget -q -O - --header 'X-ClickHouse-User: default' --header "X-ClickHouse-Key: $CLICKHOUSE_PASSWORD" \\
  --post-data "RESTORE DATABASE marketdata, DATABASE marketdata_internal FROM File('{BACKUP}')" http://127.0.0.1:8123/"""
TABLES = ("md_top_of_book", "md_trades", "md_feed_status", "md_spread_hourly")


class Untrue(Exception):
    """Something that was to hold did not."""


def newest_rows(deployment: Front, after: float, venue: str = "%") -> bool:
    """Rows that are newer than that time (seconds) are in ClickHouse."""
    return int(deployment.read(NEWER.format(ms=round(after * 1000), venue=venue))) > 0


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
        "TRUNCATE TABLE marketdata_internal.md_trades_store",
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


def ask_prometheus(deployment: Front) -> str:
    """Prometheus reaches whom it is to scrape, takes our rules, and has what collectors, tables and Dagster say."""

    def asked(path: str, **parameters: str) -> Any:
        query = f"?{urllib.parse.urlencode(parameters)}" if parameters else ""
        return json.loads(deployment.get("PROMETHEUS_PORT", f"/api/v1/{path}{query}"))["data"]

    def value(query: str) -> float:
        """Raises ValueError where there is none yet."""
        found = asked("query", query=query)["result"]
        if not found:
            raise ValueError(query)
        return float(found[0]["value"][1])

    def all_up() -> bool:
        """Every target of Prometheus is up."""
        targets = asked("targets")["activeTargets"]
        return len(targets) > 0 and all(target["health"] == "up" for target in targets)

    def rates() -> bool:
        """Prometheus has seen frames arrive."""
        return value("sum(rate(mdplatform_collector_frames_total[1m]))") > 0

    seconds = seconds_until(all_up)
    seconds_until(rates)
    rules = [rule for group in asked("rules")["groups"] for rule in group["rules"]]
    broken = [rule["name"] for rule in rules if rule["health"] == "err"]
    if broken or not rules:
        raise Untrue(f"rules that Prometheus cannot judge: {broken}")
    told = {
        "frames/s": "sum(rate(mdplatform_collector_frames_total[1m]))",
        "groups": "count(count by (group) (mdplatform_consumer_lag_messages))",
        "messages behind": "sum(mdplatform_consumer_lag_messages)",
        "runs alive": "sum(mdplatform_runs)",
        "feeds on the page": "sum(mdplatform_page_feeds)",
        "queries of ClickHouse": "ClickHouseProfileEvents_Query_total or ClickHouseProfileEvents_Query",
    }
    facts = ", ".join(f"{value(query):,.0f} {name}" for name, query in told.items())
    firing = sorted({alert["labels"]["alertname"] for alert in asked("alerts")["alerts"] if alert["state"] == "firing"})
    return f"all targets up after {seconds:.0f} s, {len(rules)} rules; {facts}; firing: {', '.join(firing) or 'none'}"


def try_to_leave(deployment: Deployment) -> str:
    """No container of ours is root's, writes beside its volume and memory, or has rights of the kernel."""
    for service in OURS:
        found = deployment.confinement(service)
        if found != ["mdplatform", "true", "[ALL]", "true"]:
            raise Untrue(f"{service}: user, read-only root, dropped rights, init are {found}")
        tried = deployment.run(
            "exec", "-T", service, "sh", "-c", "id -u; touch /opt/x /etc/x 2>&1 | wc -l; cat /proc/1/comm"
        )
        if tried.split()[:2] != ["1000", "2"] or "init" not in tried.split()[2]:
            raise Untrue(f"{service}: user, refused writes, first process are {tried.split()}")
    return f"{len(OURS)} services of ours: uid 1000, read-only root, no rights, init as first process"


def drain(deployment: Deployment) -> str:
    """SIGTERM to the code location: its collectors deliver what they received before they end."""
    began, at = time.monotonic(), time.time()
    deployment.run("stop", "code")
    ended, code = time.monotonic() - began, deployment.exit_code("code")
    accounts = deployment.run("exec", "-T", "daemon", "sh", "-c", ACCOUNTS).splitlines()
    whole = [line for line in accounts if re.search(r"(\d+) of \1 messages acknowledged, 0 failed, 0 left", line)]
    if code == KILLED_BY_DOCKER or len(accounts) != 2 or whole != accounts:
        raise Untrue(f"the code location ended with {code}, its collectors with {accounts}")
    deployment.run("up", "--detach", "--no-build", "code")
    back = seconds_until(lambda: newest_rows(deployment, at + ended + 1))
    messages = sum(int(re.findall(r"(\d+) of \d+ messages", line)[0]) for line in whole)
    return f"ended in {ended:.0f} s, all {messages:,} messages acknowledged, 0 left; rows again {back:.0f} s later"


def kill_collector(deployment: Deployment) -> float:
    """Seconds from SIGKILL to one venue's collector until another one's rows are there."""
    before, began, at = deployment.collector(VENUE), time.monotonic(), time.time()
    if before is None:
        raise Untrue(f"nothing collects {VENUE}")
    os.kill(before, signal.SIGKILL)

    def recovered() -> bool:
        """Another process collects what the killed one did, and its rows arrive."""
        return deployment.collector(VENUE) not in (None, before) and newest_rows(deployment, at + 1, VENUE)

    return seconds_until(recovered, began)


def kill(deployment: Deployment, service: str) -> float:
    """Seconds from SIGKILL until the service is healthy again and rows are newer than the kill."""
    began, at = time.monotonic(), time.time()
    before = deployment.started(service)
    deployment.kill(service)

    def recovered() -> bool:
        """The killed service is healthy again, and what is collected arrives."""
        is_up = deployment.started(service) != before and deployment.states()[service] == "healthy"
        return is_up and newest_rows(deployment, at + 1)

    seconds = seconds_until(recovered, began)
    if service == "postgres":
        _runs(deployment)  # the first question: the webserver's connections are dead, and it is to notice
    return seconds


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
    saved_as = f"BACKUP DATABASE marketdata, DATABASE marketdata_internal TO File('{BACKUP}')"
    run("exec", "-T", "code", "mdplatform", "query", "--write", saved_as)
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
