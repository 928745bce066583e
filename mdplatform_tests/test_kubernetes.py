"""deploy/kubernetes/values.yaml: no secret in it, it fits the code, and what it makes of dagster.yaml Dagster takes."""

import dataclasses
import re
import tomllib
from pathlib import Path
from typing import Any

import dagster as dg
import yaml

from mdplatform.cli import COMMANDS
from mdplatform.core.settings import Settings
from mdplatform.defs.ingest.jobs import DRAIN_S, SHARD_TAG
from mdplatform.defs.ingest.policy import SILENT_S

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "deploy/kubernetes/values.yaml").read_text()
VALUES: dict[str, Any] = yaml.safe_load(TEXT)
(CODE,) = VALUES["dagster-user-deployments"]["deployments"]
LAUNCHER = VALUES["runLauncher"]["config"]["k8sRunLauncher"]
DAEMON = VALUES["dagsterDaemon"]
# What the chart's schema knows there; it refuses every other name.
TAKEN = {
    "daemon": "affinity annotations deploymentLabels enabled env envConfigMaps envSecrets heartbeatTolerance image "
    "labels livenessProbe nodeSelector podSecurityContext readinessProbe resources runCoordinator "
    "runMonitoring runRetries schedules schedulerName securityContext sensors startupProbe tolerations "
    "volumeMounts volumes",
    "coordinator": "dequeueIntervalSeconds dequeueNumWorkers dequeueUseThreads maxConcurrentRuns tagConcurrencyLimits",
    "launcher": "envConfigMaps envSecrets envVars failPodOnRunFailure image imagePullPolicy jobNamespace "
    "kubeconfigFile labels loadInclusterConfig resources runK8sConfig schedulerName securityContext "
    "volumeMounts volumes",
    "pod": "containerConfig jobMetadata jobSpecConfig podSpecConfig podTemplateSpecMetadata",
    "webserver": "affinity annotations dbPoolRecycle dbStatementTimeout deploymentLabels enableReadOnly env "
    "envConfigMaps envSecrets image labels livenessProbe logLevel nameOverride nodeSelector pathPrefix "
    "podSecurityContext readinessProbe replicaCount resources schedulerName securityContext service "
    "startupProbe tolerations volumeMounts volumes workspace",
    "ticks": "failure skipped started success",
}
CLAIM, POLICY, MIGRATE = VALUES["extraManifests"]


def test_no_password_is_written_in_the_file() -> None:
    written = re.sub(r"#.*", "", TEXT)
    assert re.findall(r"(?i)password: *\S+|://\S*:\S*@", written) == []
    assert not VALUES["generatePostgresqlPasswordSecret"]


def test_each_variable_is_a_setting_and_secrets_come_from_a_secret() -> None:
    settings = {f.metadata["variable"]: f.metadata["secret"] for f in dataclasses.fields(Settings)}
    assert {entry["name"]: settings[entry["name"]] for entry in CODE["env"] if settings[entry["name"]]} == {}
    assert CODE["envSecrets"] == [{"name": "mdplatform"}]


def test_all_images_of_ours_are_of_the_projects_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    (migrate,) = MIGRATE["spec"]["template"]["spec"]["containers"]
    pods = (CODE, VALUES["dagsterWebserver"], VALUES["dagsterDaemon"])
    assert [(pod["image"]["repository"], pod["image"]["tag"]) for pod in pods] == [("mdplatform", version)] * 3
    assert migrate["image"] == f"mdplatform:{version}"
    assert migrate["command"][1] in COMMANDS


def test_the_chart_is_that_of_the_pinned_dagster() -> None:
    assert f"--version {dg.__version__} " in TEXT


def test_the_charts_schema_takes_each_name() -> None:
    given = {
        "daemon": [DAEMON],
        "coordinator": [DAEMON["runCoordinator"]["config"]["queuedRunCoordinator"]],
        "launcher": [LAUNCHER],
        "pod": [LAUNCHER["runK8sConfig"]],
        "webserver": [VALUES["dagsterWebserver"]],
        "ticks": [VALUES["retention"][kind]["purgeAfterDays"] for kind in ("schedule", "sensor")],
    }
    taken = {place: {*names.split()} for place, names in TAKEN.items()}
    strange = [(place, name) for place, parts in given.items() for part in parts for name in part.keys() - taken[place]]
    assert (strange, given.keys()) == ([], taken.keys())


def test_run_pods_share_the_volume_on_which_heartbeats_are() -> None:
    assert CODE["includeConfigInLaunchedRuns"]["enabled"]
    volume, mount = CODE["volumes"][0], CODE["volumeMounts"][0]
    assert volume["persistentVolumeClaim"]["claimName"] == CLAIM["metadata"]["name"]
    assert CLAIM["spec"]["accessModes"] == ["ReadWriteMany"]
    assert {"name": "MDPLATFORM_DATA_DIR", "value": mount["mountPath"]} in CODE["env"]


def test_a_run_pod_has_the_time_to_drain_and_its_end_is_seen_as_soon_as_silence_is() -> None:
    assert LAUNCHER["runK8sConfig"]["podSpecConfig"]["terminationGracePeriodSeconds"] > DRAIN_S
    assert VALUES["dagsterDaemon"]["runMonitoring"]["pollIntervalSeconds"] <= SILENT_S


def test_pods_of_ours_run_as_nobody_and_write_beside_their_volumes_nothing() -> None:
    lasting = [CODE, VALUES["dagsterWebserver"], VALUES["dagsterDaemon"]]
    pods = [pod["podSecurityContext"] for pod in lasting]
    pods.append(LAUNCHER["runK8sConfig"]["podSpecConfig"]["securityContext"])
    pods.append(MIGRATE["spec"]["template"]["spec"]["securityContext"])
    assert [pod["runAsNonRoot"] for pod in pods] == [True] * 5
    containers = [pod["securityContext"] for pod in lasting]
    containers.append(LAUNCHER["runK8sConfig"]["containerConfig"]["securityContext"])
    containers.append(MIGRATE["spec"]["template"]["spec"]["containers"][0]["securityContext"])
    assert [c["readOnlyRootFilesystem"] and not c["allowPrivilegeEscalation"] for c in containers] == [True] * 5
    assert [c["capabilities"] for c in containers] == [{"drop": ["ALL"]}] * 5


def test_dagsters_pages_are_behind_the_guard() -> None:
    """The chart starts `dagster-webserver`: in our image that is a line which starts ours, and it is asked for health
    where it listens."""
    webserver = VALUES["dagsterWebserver"]
    assert (
        "mdplatform.defs.webserver"
        in re.findall(r"'(.+)' > /opt/venv/bin/dagster-webserver", (ROOT / "Dockerfile").read_text())[0]
    )
    assert webserver["readinessProbe"]["httpGet"]["port"] == webserver["service"]["port"] > 1023


def test_pods_are_reached_from_their_namespace_alone() -> None:
    assert POLICY["spec"] == {
        "podSelector": {},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [{"podSelector": {}}]}],
    }


def test_each_pod_has_limits() -> None:
    limited = [CODE, LAUNCHER, VALUES["dagsterWebserver"], VALUES["dagsterDaemon"]]
    assert [bool(pod["resources"]["limits"]["memory"]) for pod in limited] == [True] * 4


def test_one_run_a_shard_is_let_through() -> None:
    limits = VALUES["additionalInstanceConfig"]["concurrency"]["runs"]["tag_concurrency_limits"]
    assert {"key": SHARD_TAG, "value": {"applyLimitPerUniqueValue": True}, "limit": 1} in limits


def test_what_the_chart_makes_of_it_is_a_configuration_that_dagster_takes(tmp_path: Path) -> None:
    """As its templates write dagster.yaml, without launcher and storage, whose packages are in the image only."""
    coordinator, monitoring = DAEMON["runCoordinator"], DAEMON["runMonitoring"]
    # The template writes a config, with a limit of its own, as soon as one of these is set.
    assert not any(coordinator["config"]["queuedRunCoordinator"].values())
    made = {
        "run_coordinator": {"module": "dagster.core.run_coordinator", "class": coordinator["type"]},
        "retention": {
            kind: {"purge_after_days": VALUES["retention"][kind]["purgeAfterDays"]} for kind in ("schedule", "sensor")
        },
        "run_monitoring": {re.sub("([A-Z])", r"_\1", name).lower(): value for name, value in monitoring.items()},
        "run_retries": {"enabled": DAEMON["runRetries"]["enabled"]},  # a limit of 0 is not written: it is the default
        **{
            kind: {"use_threads": DAEMON[kind]["useThreads"], "num_workers": DAEMON[kind]["numWorkers"]}
            for kind in ("sensors", "schedules")
        },
        "telemetry": VALUES["telemetry"],
        **VALUES["additionalInstanceConfig"],
    }
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(made))
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        config = instance.get_concurrency_config()
        assert config.pool_config.default_pool_limit == 2
        assert config.run_queue_config is not None
        assert config.run_queue_config.max_concurrent_runs == 200
        assert (instance.run_monitoring_enabled, instance.run_monitoring_max_resume_run_attempts) == (True, 0)
        assert instance.run_monitoring_poll_interval_seconds == monitoring["pollIntervalSeconds"]
        assert (instance.run_retries_enabled, instance.run_retries_max_retries) == (True, 0)
        assert DAEMON["runRetries"]["maxRetries"] == 0
        assert instance.get_settings("sensors")["num_workers"] == DAEMON["sensors"]["numWorkers"]
