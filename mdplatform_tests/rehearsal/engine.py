"""A Docker engine and the images that the rehearsal runs.

Where no engine answers, one is started with a data root of its own and ended by its pid file. Where no registry gives
an image, one with the same interface is made: the Python image and Debian from debootstrap, the others from
deploy/rehearsal.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from mdplatform_tests.chaos.cluster import Missing, jars

ROOT = Path(__file__).parents[2]
STAND_INS = ROOT / "deploy" / "rehearsal"
DEBIAN, PYTHON = "debian:bookworm-slim", "python:3.11.14-slim-bookworm"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
READY_S, PULL_S = 60.0, 30.0
LEFT_OUT = ("usr/share/doc", "usr/share/man", "usr/share/locale", "var/cache/apt", "var/lib/apt/lists", "var/log")
PYTHON_IMAGE = f"""FROM {DEBIAN}
RUN ln -s python3 /usr/bin/python && rm -f /usr/lib/python3*/EXTERNALLY-MANAGED
COPY ca-certificates.crt {CERTIFICATES}
ENV PIP_CERT={CERTIFICATES} SSL_CERT_FILE={CERTIFICATES}
"""
Say = Callable[[str], None]


class Engine:
    """A context manager: inside of the block `docker` answers."""

    def __init__(self, directory: Path, say: Say) -> None:
        self._directory, self._say = directory, say
        self._log = directory / "rehearsal.log"
        self._runtime: Path | None = None  # of an engine of our own: its socket, pid file and mounts

    def __enter__(self) -> Self:
        self._directory.mkdir(parents=True, exist_ok=True)
        if shutil.which("docker") is None:
            raise Missing("no `docker` on the PATH (on Debian: apt-get install docker.io docker-compose debootstrap)")
        if not self._answers():
            self._start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._runtime is None:
            return
        pid_file = self._runtime / "pid"
        os.kill(int(pid_file.read_text()), signal.SIGTERM)
        _until(lambda: not pid_file.exists(), READY_S)
        # It leaves its own network namespace mounted there.
        subprocess.run(["umount", str(self._runtime / "exec/netns/default")], capture_output=True, check=False)
        shutil.rmtree(self._runtime, ignore_errors=True)

    def docker(self, *arguments: str, seconds: float = 1200.0) -> str:
        """What the command writes to stdout. Raises CalledProcessError; both outputs are in the rehearsal's log."""
        with self._log.open("a") as log:
            log.write(f"$ docker {' '.join(arguments)}\n")
            log.flush()
            done = subprocess.run(
                ["docker", *arguments], stdout=subprocess.PIPE, stderr=log, text=True, check=True, timeout=seconds
            )
            log.write(done.stdout)
        return done.stdout.strip()

    def has(self, image: str) -> bool:
        try:
            return bool(self.docker("image", "inspect", image))
        except subprocess.CalledProcessError:
            return False

    def megabytes(self, image: str) -> float:
        return int(self.docker("image", "inspect", "--format", "{{.Size}}", image)) / 1e6

    def base_images(self) -> None:
        """What our images are made from. Raises Missing."""
        for image in (DEBIAN, PYTHON):
            if not self.has(image) and not self._pulled(image):
                self._bootstrap()
                return

    def stand_ins(self) -> None:
        """Raises Missing, CalledProcessError."""
        archives = jars(self._directory / "kafka-jars")
        for name in ("postgres", "kafka", "clickhouse", "prometheus"):
            with tempfile.TemporaryDirectory() as context:
                shutil.copytree(STAND_INS / name, context, dirs_exist_ok=True)
                shutil.copy(ROOT / "constraints.txt", context)
                if name == "kafka":
                    shutil.copytree(archives, Path(context) / "jars")
                self.docker("build", "--network", "host", "--tag", f"mdplatform-rehearsal-{name}:1", context)

    def _pulled(self, image: str) -> bool:
        try:
            return bool(self.docker("pull", image, seconds=PULL_S))
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            return False

    def _bootstrap(self) -> None:
        if shutil.which("debootstrap") is None or os.geteuid() != 0:
            raise Missing("no registry gives the base image, and making one needs debootstrap and root")
        self._say(f"no registry gives {PYTHON}: making it with debootstrap")
        with tempfile.TemporaryDirectory() as made:
            root = Path(made) / "root"
            packages = "python3,python3-venv,ca-certificates"
            command = ["debootstrap", "--variant=minbase", f"--include={packages}", "bookworm", str(root)]
            with self._log.open("a") as log:
                subprocess.run(command, stdout=log, stderr=log, check=True)
            for path in LEFT_OUT:
                for inside in (root / path).iterdir():
                    shutil.rmtree(inside) if inside.is_dir() and not inside.is_symlink() else inside.unlink()
            archive = Path(made) / "root.tar"
            subprocess.run(["tar", "-C", str(root), "-cf", str(archive), "."], check=True)
            self.docker("import", str(archive), DEBIAN)
            context = Path(made) / "context"
            context.mkdir()
            (context / "Dockerfile").write_text(PYTHON_IMAGE)
            shutil.copy(CERTIFICATES, context)
            self.docker("build", "--tag", PYTHON, str(context))

    def _answers(self) -> bool:
        asked = subprocess.run(
            ["docker", "version", "--format", "{{.Server.Version}}"], capture_output=True, check=False
        )
        return asked.returncode == 0

    def _start(self) -> None:
        if shutil.which("dockerd") is None or os.geteuid() != 0:
            raise Missing("no Docker engine answers, and starting one needs dockerd and root")
        self._say("no Docker engine answers: starting one of our own")
        runtime = Path(tempfile.mkdtemp(prefix="rehearsal-"))
        os.environ["DOCKER_HOST"] = f"unix://{runtime}/docker.sock"
        command = ["dockerd", "--data-root", str(self._directory / "docker"), "--exec-root", str(runtime / "exec")]
        command += ["--host", os.environ["DOCKER_HOST"], "--pidfile", str(runtime / "pid")]
        with (self._directory / "dockerd.log").open("w") as log:
            subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        self._runtime = runtime
        if not _until(self._answers, READY_S):
            raise Missing(f"dockerd does not answer within {READY_S:g} s, see {self._directory / 'dockerd.log'}")


def _until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True
