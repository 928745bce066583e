"""The image installs what its lock says, and the lock says what everything else is tested with."""

from __future__ import annotations

from pathlib import Path

import pytest

from mdplatform_tests.security.lock import locked, objections

ROOT = Path(__file__).parents[2]
HASH = " \\\n    --hash=sha256:" + "0" * 64
PROJECT = '[project]\ndependencies = ["a>=2"]\n[project.optional-dependencies]\nserver = []\n'


def test_the_lock_fits_the_constraints_and_lacks_nothing() -> None:
    texts = [(ROOT / name).read_text() for name in ("requirements.lock", "constraints.txt", "pyproject.toml")]
    assert list(objections(*texts)) == []


def test_the_image_installs_the_lock_by_its_hashes() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert "--require-hashes --only-binary :all: -r /opt/requirements.lock" in text
    assert "requirements.lock" in (ROOT / ".dockerignore").read_text()


@pytest.mark.parametrize(
    ("lock", "constraints", "objection"),
    [
        (f"a==2.0{HASH}", "a==2.1", "a is 2.0 in requirements.lock and 2.1 in constraints.txt"),
        (f"a==2.0{HASH}\nb==1.0{HASH}", "a==2.0", "b is 1.0 in requirements.lock and not named in constraints.txt"),
        (f"b==1.0{HASH}", "b==1.0", "mdplatform needs a>=2, which requirements.lock has not"),
        (f"a==1.9{HASH}", "a==1.9", "mdplatform needs a>=2, requirements.lock has 1.9"),
    ],
)
def test_what_does_not_fit_is_named(lock: str, constraints: str, objection: str) -> None:
    assert list(objections(lock, constraints, PROJECT)) == [objection]


def test_a_line_without_a_hash_is_refused() -> None:
    with pytest.raises(ValueError, match=r"not pinned with hashes: b==1\.0"):
        locked(f"a==2.0{HASH}\nb==1.0\n")
