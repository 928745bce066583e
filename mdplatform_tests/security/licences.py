"""The licences of everything that an installation brings along: ``python -m mdplatform_tests.security.licences``.

Walks from our own requirements (with the extras) through what each package says it requires, as installed here. GPL and
AGPL are refused, LGPL is named: it may be linked to, and is not ours to change the terms of.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

EXTRAS = ("embedded", "dev")
COPYLEFT = re.compile(r"\bA?GPL|(?<!Lesser )General Public License|Affero", re.IGNORECASE)
LESSER = re.compile(r"\bLGPL|Lesser General Public|Library General Public", re.IGNORECASE)


def closure(name: str = "mdplatform", extras: Iterable[str] = EXTRAS) -> dict[str, Distribution]:
    """By name, all that is installed because ``name`` with ``extras`` is."""
    found: dict[str, Distribution] = {}
    waiting, seen = [(name, frozenset(extras))], set()
    while waiting:
        asked = waiting.pop()
        if asked in seen:
            continue
        seen.add(asked)
        try:
            package = distribution(asked[0])
        except PackageNotFoundError:
            continue  # for another system
        found[canonicalize_name(asked[0])] = package
        for needed in map(Requirement, package.requires or ()):
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in ("", *asked[1])):
                waiting.append((needed.name, frozenset(needed.extras)))
    return found


def licence(package: Distribution) -> str:
    """What the package says of itself: its SPDX expression, its classifiers, its text's or its file's first line."""
    about = package.metadata
    if expression := about.get("License-Expression"):
        return str(expression)
    classified = [line.rpartition(" :: ")[2] for line in about.get_all("Classifier", []) if "License ::" in line]
    if classified:
        return ", ".join(classified)
    files = [package.read_text(f"licenses/{name}") or "" for name in about.get_all("License-File", [])]
    texts = [str(about.get("License") or ""), *files]
    return next((line for text in texts if (line := text.strip().partition("\n")[0])), "unknown")


def is_refused(text: str) -> bool:
    """GPL or AGPL without a choice; ``A OR B`` leaves one."""
    return all(COPYLEFT.search(choice) and not LESSER.search(choice) for choice in re.split(r"\bOR\b", text))


def main() -> int:
    packages = closure()
    rows = [(name, package.version, licence(package)) for name, package in sorted(packages.items())]
    width = max(len(f"{name} {version}") for name, version, _ in rows)
    for name, version, text in rows:
        sys.stdout.write(f"{f'{name} {version}':<{width}}  {text}\n")
    refused = [name for name, _, text in rows if is_refused(text) or text == "unknown"]
    lesser = [name for name, _, text in rows if LESSER.search(text)]
    sys.stdout.write(f"{len(rows)} packages; LGPL: {', '.join(lesser) or 'none'}; ")
    sys.stdout.write(f"refused or unknown: {', '.join(refused) or 'none'}\n")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
