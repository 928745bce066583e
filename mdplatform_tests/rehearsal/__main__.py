"""`make rehearse`: docker-compose.yml from nothing to a running server, its bad moments, and a table of them."""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from mdplatform_tests.chaos.cluster import Missing
from mdplatform_tests.rehearsal import acts, local
from mdplatform_tests.rehearsal.deployment import Deployment
from mdplatform_tests.rehearsal.engine import ROOT, Engine

BEGAN = time.monotonic()
IMAGE = "mdplatform:0.1.0"
FAILURES = (acts.Untrue, ValueError, OSError, subprocess.CalledProcessError)  # TimeoutError is an OSError
COLLECTOR = "collector"  # the process of one venue's run, in the code location's container
KILLED = (
    COLLECTOR,
    "daemon",
    "webserver",
    "code",
    "dashboard",
    "signals",
    "metrics",
    "prometheus",
    "redpanda",
    "clickhouse",
    "postgres",
)


def say(line: str) -> None:
    sys.stdout.write(f"[{time.monotonic() - BEGAN:5.0f} s] {line}\n")
    sys.stdout.flush()


def rehearse(directory: Path, killed: tuple[str, ...]) -> int:
    """Raises what an act raises, having kept the containers' logs. Raises Missing where there can be no Docker."""
    found: list[tuple[str, str]] = []
    with Engine(directory, say) as engine:
        deployment = Deployment(engine, directory)
        engine.base_images()
        say("building the image")
        deployment.run("build", "migrate")
        say("building stand-ins for Postgres, Redpanda and ClickHouse; Console and Grafana stay out")
        engine.stand_ins()
        deployment.down("--volumes")
        try:
            say("bringing everything up with new secrets")
            healthy = deployment.up()

            def act(name: str, do: Callable[[], str]) -> None:
                say(name)
                found.append((name, do()))

            act("collect", lambda: acts.collect(deployment))
            act("build and archive the hour", lambda: acts.build_hour(deployment))
            act("ask as the reader", lambda: acts.read_as_the_reader(deployment))
            act("look at the pages", lambda: acts.look_at_the_page(deployment))
            act("ask Prometheus", lambda: acts.ask_prometheus(deployment))
            act("try to leave the containers", lambda: acts.try_to_leave(deployment))
            recovered = {}
            for service in killed:
                say(f"kill {service}")
                is_run = service == COLLECTOR
                recovered[service] = acts.kill_collector(deployment) if is_run else acts.kill(deployment, service)
            act("end the collectors in order", lambda: acts.drain(deployment))
            act("down and up again", lambda: acts.down_and_up(deployment))
            act("back up, lose, restore", lambda: acts.back_up_and_restore(deployment, directory))
            rows = acts.counts(deployment)
        except BaseException:
            deployment.logs()
            raise
        finally:
            deployment.down("--volumes")
        found.append(("image", f"{engine.megabytes(IMAGE):.0f} MB"))
        found.append(("rows", ", ".join(f"{name} {n:,}" for name, n in rows.items())))
        show(directory, healthy, recovered, found)
    return 0


def rehearse_processes(directory: Path) -> int:
    say("the same commands as processes of this machine; nothing is killed or backed up")
    try:
        ready, found = local.rehearse(directory, say)
    except Missing as missing:
        say(f"not possible either: {missing}")
        return 1
    except FAILURES as error:
        say(f"FAILED: {error}; what was said: {directory}/*.log")
        return 1
    show(directory, ready, {}, found)
    return 0


def show(directory: Path, healthy: dict[str, float], recovered: dict[str, float], found: list[tuple[str, str]]) -> None:
    """The table, printed and kept in ``directory``."""
    lines = [f"{'service':<12}{'healthy after':>15}{'back after a kill':>20}"]
    for service in sorted(healthy.keys() | recovered.keys(), key=lambda name: healthy.get(name, math.inf)):
        up = f"{healthy[service]:.0f} s" if service in healthy else "-"
        back = f"{recovered[service]:.1f} s" if service in recovered else "-"
        lines.append(f"{service:<12}{up:>15}{back:>20}")
    width = max(len(name) for name, _ in found)
    lines += ["", *(f"{name:<{width}}  {text}" for name, text in found)]
    found_at = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    table = "\n".join([f"{found_at}, after {time.monotonic() - BEGAN:.0f} s", "", *lines, ""])
    (directory / "table.txt").write_text(table)
    sys.stdout.write(f"\n{table}")


def main() -> int:
    parser = argparse.ArgumentParser("mdplatform_tests.rehearsal", description=__doc__)
    parser.add_argument("--directory", type=Path, default=ROOT / ".rehearsal", help="images, logs and backups")
    parser.add_argument("--kill", default=",".join(KILLED), help="services to kill, comma-separated")
    parser.add_argument("--processes", action="store_true", help="without containers, as processes of this machine")
    given = parser.parse_args()
    directory = given.directory.absolute()
    try:
        if given.processes:
            raise Missing("not wanted")
        return rehearse(directory, tuple(filter(None, given.kill.split(","))))
    except Missing as missing:
        say(f"no containers here: {missing}")
        return rehearse_processes(directory)
    except FAILURES as error:
        say(f"FAILED: {error}")
        say(f"what was said: {directory}/rehearsal.log, containers.log")
        return 1


if __name__ == "__main__":
    sys.exit(main())
