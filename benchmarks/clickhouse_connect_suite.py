"""Claim: ClickHouse's own Python client passes its own integration tests against our embedded node, which stays flat.

    git clone https://github.com/ClickHouse/clickhouse-connect /tmp/checkout
    python -m venv /tmp/suite
    /tmp/suite/bin/pip install "clickhouse-connect[async]==1.12.0" alembic -r /tmp/checkout/tests/test_requirements.txt
    /tmp/suite/bin/pip install -U "numpy>=2.1"
    python benchmarks/clickhouse_connect_suite.py /tmp/checkout --python /tmp/suite/bin/python

Runs the checkout's tests with the *installed* client against a node on a temporary directory; prints a table by file,
every failure's first line, and the node's memory, open files and threads after each round (0: after the warm-up).
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

from mdplatform.embedded.clickhouse import ClickHouseNode, start

# What these test is not there to be tested: TLS and proxy servers beside the node, tokens of ClickHouse Cloud.
NOT_RUN = ("test_tls.py", "test_proxy.py", "test_jwt_auth.py")
WARM_UP = "tests/integration_tests/test_client.py"  # among others its stack traces, which open each library once


@dataclass(frozen=True)
class Footprint:
    rss_mb: int
    handles: int
    threads: int


def footprint(pid: int) -> Footprint:
    status = Path(f"/proc/{pid}/status").read_text()
    fields = dict(line.split(":", 1) for line in status.splitlines())
    rss_kb, threads = int(fields["VmRSS"].split()[0]), int(fields["Threads"])
    return Footprint(rss_kb // 1024, len(os.listdir(f"/proc/{pid}/fd")), threads)


def show_open_files(pid: int) -> None:
    """What the open files are, numbers left out."""
    kinds: Counter[str] = Counter()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            target = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+", "#", os.readlink(link))
            kinds["/".join(target.rsplit("/", 3)[-3:])] += 1
    for kind, count in kinds.most_common(12):
        print(f"{count:6} open: {kind}")


def run_tests(python: Path, directory: Path, node: ClickHouseNode, targets: list[str], report: Path) -> None:
    address = urlsplit(node.url)
    environment = {
        **os.environ,
        "CLICKHOUSE_CONNECT_TEST_HOST": address.hostname or "",
        "CLICKHOUSE_CONNECT_TEST_PORT": str(address.port),
    }
    command = [
        str(python),
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--continue-on-collection-errors",
        f"--junitxml={report}",
        *targets,
    ]
    command += [f"--ignore=tests/integration_tests/{name}" for name in NOT_RUN]
    with report.with_suffix(".log").open("wb") as log:
        subprocess.run(command, cwd=directory, env=environment, stdout=log, stderr=subprocess.STDOUT, check=False)


def outcome(case: ElementTree.Element) -> str:
    kinds = {child.tag for child in case}
    return "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"


def show(report: Path) -> None:
    cases = list(ElementTree.parse(report).getroot().iter("testcase"))
    counts = Counter(
        (str(case.get("classname")).removeprefix("tests.integration_tests."), outcome(case)) for case in cases
    )
    print(f"{'file':48}{'passed':>8}{'failed':>8}{'skipped':>8}")
    for name in sorted({name for name, _ in counts}):
        print(f"{name:48}" + "".join(f"{counts[name, kind]:8}" for kind in ("passed", "failed", "skipped")))
    total = Counter(outcome(case) for case in cases)
    ran = total["passed"] + total["failed"]
    print(f"{'all':48}{total['passed']:8}{total['failed']:8}{total['skipped']:8}")
    print(f"\n{total['passed'] / max(ran, 1):.1%} of {ran} passed\n")
    for case in cases:
        for problem in (*case.findall("failure"), *case.findall("error")):
            print(f"FAILED {case.get('name')}: {(problem.get('message') or '').splitlines()[0][:200]}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path, nargs="?")
    parser.add_argument(
        "--python", type=Path, default=Path(sys.executable), help="one with the client and its test tools"
    )
    parser.add_argument("--keep", type=Path, help="where to copy the test report and logs")
    parser.add_argument("--rounds", type=int, default=2, help="how often; a leak shows from round to round")
    parser.add_argument("tests", nargs="*", default=["tests/integration_tests"], help="default: all")
    given = parser.parse_args()
    if given.checkout is None:
        print("not run: it needs a checkout of clickhouse-connect, see the head of this file")
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        # Only the tests: the checkout's own package must not stand in front of the installed one.
        shutil.copytree(given.checkout / "tests", directory / "tests")
        report = directory / "report.xml"
        with start(directory / "node", log=directory / "node.log") as node:
            run_tests(given.python, directory, node, [WARM_UP], directory / "warmup.xml")
            footprints = [footprint(node.pid)]
            for _ in range(given.rounds):
                run_tests(given.python, directory, node, given.tests, report)
                footprints.append(footprint(node.pid))
            show_open_files(node.pid)
        if given.keep:
            given.keep.mkdir(parents=True, exist_ok=True)
            for file in (report, report.with_suffix(".log"), directory / "node.log"):
                shutil.copy(file, given.keep)
        show(report)
    for number, one in enumerate(footprints):
        print(f"node after round {number}: {one}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
