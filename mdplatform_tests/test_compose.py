"""docker-compose.yml: closed to the network, no password of its own, every version named, and it fits the code."""

import dataclasses
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import dagster as dg
import pytest
import yaml

from mdplatform.cli import COMMANDS
from mdplatform.core.settings import Settings

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docker-compose.yml").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
GRAFANA = ROOT / "deploy" / "grafana"
PROVISIONING = SERVICES["grafana"]["environment"]["GF_PATHS_PROVISIONING"]
SECRET = re.compile(r"PASSWORD|TOKEN|SECRET")
CONSTRAINT, FORBIDDEN = 452, 497  # what ClickHouse answers


@pytest.mark.parametrize("service", SERVICES)
def test_a_published_port_is_bound_to_loopback(service: str) -> None:
    assert all(str(port).startswith("127.0.0.1:") for port in SERVICES[service].get("ports", []))


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_is_pinned_to_a_full_version(service: str) -> None:
    _, _, tag = SERVICES[service]["image"].rpartition(":")
    assert re.fullmatch(r"v?\d+\.\d+(\.\d+)*(-[a-z0-9.]+)?", tag), tag


@pytest.mark.parametrize("service", sorted(SERVICES.keys() - {"migrate"}))
def test_a_lasting_service_has_a_health_check(service: str) -> None:
    assert SERVICES[service]["healthcheck"]["test"]


def test_nothing_starts_without_its_secrets() -> None:
    used = re.findall(r"\$\{(\w+)([^}]*)\}", TEXT)
    secrets = {(name, rest[:2]) for name, rest in used if SECRET.search(name)}
    assert {operator for _, operator in secrets} == {":?"}
    example = re.findall(r"^(\w+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert dict(example) == {name: "" for name, _ in secrets}


@pytest.mark.parametrize("service", SERVICES)
def test_a_secret_is_never_written_in_the_file(service: str) -> None:
    environment = SERVICES[service].get("environment", {})
    secrets = [value for name, value in environment.items() if SECRET.search(name)]
    assert all(value is None or str(value).startswith("${") for value in secrets)  # None: taken over from outside


def test_named_volumes_are_declared_and_mounted_files_exist() -> None:
    mounts = [mount.split(":")[0] for service in SERVICES.values() for mount in service.get("volumes", [])]
    named = {mount for mount in mounts if not mount.startswith(".")}
    assert named == set(yaml.safe_load(TEXT)["volumes"])
    assert all((ROOT / mount).exists() for mount in mounts if mount.startswith("."))


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_can_gain_no_rights(service: str) -> None:
    assert SERVICES[service]["cap_drop"] == ["ALL"]
    assert SERVICES[service]["security_opt"] == ["no-new-privileges:true"]


def test_only_redpanda_writes_beside_its_volumes() -> None:
    assert {name for name, service in SERVICES.items() if not service.get("read_only")} == {"redpanda"}


def test_what_a_service_needs_is_fetched_before_it_starts() -> None:
    assert [name for name, service in SERVICES.items() if "PREINSTALL_SYNC" in str(service.get("environment"))] == []


def test_clickhouse_has_our_user_and_nobody_without_a_password() -> None:
    users = ElementTree.parse(ROOT / "deploy/clickhouse/platform.xml")
    default, ours = users.find("users/default"), users.find("users/mdplatform/password")
    assert default is not None
    assert ours is not None
    assert default.attrib == {"remove": "remove"}
    assert ours.attrib["from_env"] in SERVICES["clickhouse"]["environment"]
    assert f"http://mdplatform:${{{ours.attrib['from_env']}" in SERVICES["code"]["environment"]["CLICKHOUSE_URL"]


def test_dagsters_pages_are_behind_the_guard() -> None:
    assert SERVICES["webserver"]["command"][:3] == ["python", "-m", "mdplatform.defs.webserver"]


def test_our_image_has_the_projects_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert SERVICES["code"]["image"] == f"mdplatform:{project['version']}"


def test_each_command_of_ours_exists() -> None:
    called = {service["command"][1] for service in SERVICES.values() if service.get("command", [""])[0] == "mdplatform"}
    assert called == {"migrate", "dashboard", "signals", "metrics"}
    assert called <= set(COMMANDS)


def test_each_variable_of_ours_is_a_setting() -> None:
    known = {f.metadata["variable"] for f in dataclasses.fields(Settings)}
    given = {name for name in SERVICES["dashboard"]["environment"] if not name.startswith(("DAGSTER_", "AWS_"))}
    assert given <= known


def test_code_waits_for_the_migration() -> None:
    assert SERVICES["code"]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_the_workspace_points_at_the_code_service() -> None:
    (location,) = yaml.safe_load((ROOT / "deploy/compose/workspace.yaml").read_text())["load_from"]
    assert location["grpc_server"]["host"] in SERVICES
    assert f"--port={location['grpc_server']['port']}" in SERVICES["code"]["command"]


def test_what_dagsters_configuration_reads_is_given() -> None:
    needed = set(re.findall(r"env: (\w+)", (ROOT / "deploy/compose/dagster.yaml").read_text()))
    assert needed <= set(SERVICES["daemon"]["environment"])


def test_the_image_is_built_from_files_that_reach_the_builder() -> None:
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copies = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    sources = {source for line in copies for source in line.split()}
    assert [source for source in sorted(sources) if not (ROOT / source).exists()] == []
    assert all(any(Path(source).is_relative_to(path) for path in sent) for source in sources)


def test_dagsters_configuration_is_one_that_dagster_takes(tmp_path: Path) -> None:
    text = (ROOT / "deploy/compose/dagster.yaml").read_text().replace("/var/lib/mdplatform", str(tmp_path))
    config = yaml.safe_load(text)
    assert config.pop("storage")["postgres"]  # its driver is in the image only
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(config))
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert instance.get_concurrency_config().pool_config.default_pool_limit == 1
        assert instance.run_monitoring_enabled


def test_grafana_finds_what_its_provisioning_names() -> None:
    (source,) = yaml.safe_load((GRAFANA / "provisioning/datasources/clickhouse.yaml").read_text())["datasources"]
    assert source["jsonData"]["host"] in SERVICES
    assert source["jsonData"]["defaultDatabase"] == Settings().clickhouse_database
    assert source["secureJsonData"]["password"].lstrip("$") in SERVICES["grafana"]["environment"]
    assert f"plugins install {source['type']} " in (GRAFANA / "Dockerfile").read_text()
    (provider,) = yaml.safe_load((GRAFANA / "provisioning/dashboards/mdplatform.yaml").read_text())["providers"]
    mounts = dict(mount.split(":")[1::-1] for mount in SERVICES["grafana"]["volumes"])
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    for path in (provider["options"]["path"], PROVISIONING, home):
        (inside,) = (mount for mount in mounts if Path(path).is_relative_to(mount))
        assert (ROOT / mounts[inside] / Path(path).relative_to(inside)).exists()


def test_prometheus_scrapes_services_under_names_that_these_answer_to() -> None:
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    jobs = {job["job_name"]: job for job in config["scrape_configs"]}
    targets = {name: job["static_configs"][0]["targets"][0].split(":") for name, job in jobs.items()}
    guarded = {targets[name][0] for name in ("collectors", "dagster")}
    assert {name: SERVICES[name]["environment"]["MDPLATFORM_ALLOWED_HOSTS"].split(",")[0] for name in guarded} == {
        name: name for name in guarded
    }
    listening = {host: f"--port={port}" for host, port in targets.values() if host not in ("clickhouse", "localhost")}
    assert [host for host, option in listening.items() if option not in SERVICES[host]["command"]] == []
    endpoint = ElementTree.parse(ROOT / "deploy/clickhouse/mdplatform.xml").find("prometheus")
    assert endpoint is not None
    assert targets["clickhouse"] == ["clickhouse", endpoint.findtext("port")]


def test_prometheus_finds_its_rules_and_the_pages_token() -> None:
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    mounts = dict(mount.split(":")[1::-1] for mount in SERVICES["prometheus"]["volumes"])
    (rules,) = config["rule_files"]
    assert list((ROOT / mounts[str(Path(rules).parent)]).glob(Path(rules).name))
    (page,) = (job for job in config["scrape_configs"] if job["job_name"] == "page")
    started = SERVICES["prometheus"]["entrypoint"][-1]
    assert f'"$$MDPLATFORM_DASHBOARD_TOKEN" > {page["authorization"]["credentials_file"]}' in started
    source = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yaml").read_text())["datasources"][0]
    assert source["url"] == "http://prometheus:9090"


def test_the_server_stores_a_block_of_any_number_of_days() -> None:
    profile = ElementTree.parse(ROOT / "deploy/clickhouse/profile.xml")
    assert profile.findtext("profiles/default/max_partitions_per_insert_block") == "0"
    assert any("profile.xml:/etc/clickhouse-server/users.d/" in mount for mount in SERVICES["clickhouse"]["volumes"])


def test_grafana_reads_as_the_user_who_may_only_read() -> None:
    (source,) = yaml.safe_load((GRAFANA / "provisioning/datasources/clickhouse.yaml").read_text())["datasources"]
    users = ElementTree.parse(ROOT / "deploy/clickhouse/readers.xml")
    reader = users.find(f"users/{source['jsonData']['username']}")
    assert reader is not None
    profile = users.find(f"profiles/{reader.findtext('profile')}")
    assert profile is not None
    assert profile.findtext("readonly") == "2"
    for limit in ("max_execution_time", "max_memory_usage", "max_threads"):
        assert int(profile.findtext(limit, "0")) <= int(profile.findtext(f"constraints/{limit}/max", "0"))
    grants = [str(grant.text) for grant in reader.iterfind("grants/query")]
    assert [grant for grant in grants if not grant.startswith(("GRANT SELECT ON ", "REVOKE SELECT ON "))] == []
    password = reader.find("password")
    assert password is not None
    assert password.attrib["from_env"] in SERVICES["clickhouse"]["environment"]


def test_the_engine_lets_that_user_read_within_limits_and_nothing_else(tmp_path: Path) -> None:
    read = "SELECT count() FROM marketdata.md_trades"
    codes = {
        read: 0,
        f"{read} SETTINGS max_execution_time = 65": 0,  # as Grafana's driver asks
        f"{read} SETTINGS max_execution_time = 0": CONSTRAINT,
        f"{read} SETTINGS max_execution_time = 3600": CONSTRAINT,
        f"{read} SETTINGS max_memory_usage = 0": CONSTRAINT,
        "SELECT count() FROM system.parts": 0,
        "INSERT INTO marketdata.md_trades SELECT 1": FORBIDDEN,
        "DROP TABLE marketdata.md_trades": FORBIDDEN,
    }
    probe = [sys.executable, "-m", "mdplatform_tests.readers_probe", str(tmp_path)]
    given = {**os.environ, "CLICKHOUSE_READER_PASSWORD": "any"}
    answer = subprocess.run(
        probe, input=json.dumps(list(codes)), capture_output=True, text=True, check=True, cwd=ROOT, env=given
    )
    assert dict(zip(codes, json.loads(answer.stdout), strict=True)) == codes


@pytest.mark.parametrize(
    ("file", "by_other_means"),
    [
        ("Makefile", {"chdb-core"}),  # of the newest engine's environment: whichever is newest
        ("deploy/rehearsal/clickhouse/Dockerfile", {"noida-db"}),  # a broker of its own stands beside it
        ("mdplatform_tests/rehearsal/local.py", set[str]()),
    ],
)
def test_who_installs_the_embedded_node_by_parts_names_all_of_them(file: str, by_other_means: set[str]) -> None:
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["embedded"]
    parts = {re.split(r"[<>=]", each)[0] for each in extra}
    line = next(line for line in (ROOT / file).read_text().splitlines() if "python-multipart" in line)
    assert parts - by_other_means == {part for part in parts if part in line} - by_other_means
