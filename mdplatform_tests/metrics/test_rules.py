"""Alert rules and what Prometheus scrapes, as Prometheus itself judges them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from mdplatform.metrics import measures
from mdplatform.metrics.measures import Measure, exposition

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
RULES: list[dict[str, Any]] = [
    rule
    for file in sorted((PROMETHEUS / "rules").glob("*.yml"))
    for group in yaml.safe_load(file.read_text())["groups"]
    for rule in group["rules"]
]
KNOWN = {f"mdplatform_{value.name}": value for value in vars(measures).values() if isinstance(value, Measure)}


def promtool(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed (on Debian: apt-get install prometheus)")
    command = ["promtool", *arguments]
    return subprocess.run(command, input=given, capture_output=True, text=True, check=False, cwd=PROMETHEUS)


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "rules", "rules/mdplatform.yml"),
        ("check", "config", "--syntax-only", "prometheus.yml"),
        ("test", "rules", "tests/mdplatform.yml"),
    ],
    ids=" ".join,
)
def test_prometheus_takes_it(arguments: tuple[str, ...]) -> None:
    done = promtool(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_has_a_test_in_which_it_fires() -> None:
    tests = yaml.safe_load((PROMETHEUS / "tests" / "mdplatform.yml").read_text())["tests"]
    fired = {case["alertname"] for test in tests for case in test["alert_rule_test"] if case.get("exp_alerts")}
    assert sorted(fired) == sorted(rule["alert"] for rule in RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_an_alert_asks_for_what_there_is_and_says_what_to_do(rule: dict[str, Any]) -> None:
    assert set(re.findall(r"mdplatform_\w+", rule["expr"])) <= KNOWN.keys()
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"].keys() == {"summary", "next"}
    text = (ROOT / "sql").rglob("*.sql")
    views = {name for path in text for name in re.findall(r"CREATE VIEW (?:IF NOT EXISTS )?(\w+)", path.read_text())}
    assert set(re.findall(r"\bmd_\w+", rule["annotations"]["next"])) <= views


def test_names_are_as_prometheus_wants_them() -> None:
    families = [measure.of([(["a"] * len(measure.labels), 1.0)]) for measure in KNOWN.values()]
    judged = promtool("check", "metrics", given=exposition(families).decode())
    assert (judged.returncode, judged.stdout, judged.stderr) == (0, "", "")
