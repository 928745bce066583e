"""Whether requirements.lock is what the image may install: ``python -m mdplatform_tests.security.lock``.

Every file by its hash, every version that of constraints.txt, and all that our own requirements and those of what is
installed here ask for. (`pip install --require-hashes`, which builds the image, refuses what is missing then, too.)
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PINNED = re.compile(
    r"^([A-Za-z0-9._-]+)(?:\[[\w,]+\])?==(\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", re.MULTILINE
)
IMAGE = {"python_version": "3.11", "python_full_version": "3.11.14", "sys_platform": "linux", "extra": ""}
EXTRA = "server"


def locked(text: str) -> dict[str, str]:
    """Version by name. Raises ValueError for a line that is not pinned with hashes."""
    rest = re.sub(r"^#.*\n", "", PINNED.sub("", text), flags=re.MULTILINE).strip()
    if rest:
        raise ValueError(f"not pinned with hashes: {rest.splitlines()[0]}")
    return {canonicalize_name(name): version for name, version, _ in PINNED.findall(text)}


def objections(lock: str, constraints: str, project: str) -> Iterator[str]:
    """A line for each thing that does not fit."""
    versions = locked(lock)
    pins = dict(line.split("==") for line in constraints.split())
    wanted = {canonicalize_name(name): version for name, version in pins.items()}
    for name, version in versions.items():
        if wanted.get(name) != version:
            yield f"{name} is {version} in requirements.lock and {wanted.get(name, 'not named')} in constraints.txt"
    declared = tomllib.loads(project)["project"]
    own = [*declared["dependencies"], *declared["optional-dependencies"][EXTRA]]
    asked = [("mdplatform", Requirement(text)) for text in own]
    asked += [(name, needed) for name in versions for needed in _installed_requirements(name)]
    for by, needed in asked:
        version = versions.get(canonicalize_name(needed.name))
        if version is None:
            yield f"{by} needs {needed}, which requirements.lock has not"
        elif not needed.specifier.contains(version, prereleases=True):
            yield f"{by} needs {needed}, requirements.lock has {version}"


def _installed_requirements(name: str) -> Iterator[Requirement]:
    """What a package that is installed here asks for on the image's system; nothing where it is not installed."""
    try:
        texts = distribution(name).requires or []
    except PackageNotFoundError:
        return
    for needed in map(Requirement, texts):
        if needed.marker is None or needed.marker.evaluate(dict(IMAGE)):
            yield needed


def main() -> int:
    texts = [(ROOT / name).read_text() for name in ("requirements.lock", "constraints.txt", "pyproject.toml")]
    found = list(objections(*texts))
    for line in found:
        sys.stdout.write(f"{line}\n")
    again = "; `make lock` writes it again" if found else ""
    sys.stdout.write(f"requirements.lock: {len(locked(texts[0]))} packages, {len(found)} objections{again}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
