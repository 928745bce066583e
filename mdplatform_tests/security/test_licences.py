"""What an installation brings along may be used as we use it."""

from __future__ import annotations

import pytest

from mdplatform_tests.security.licences import LESSER, closure, is_refused, licence


def test_nothing_that_is_installed_is_under_the_gpl_or_under_nothing() -> None:
    found = {name: licence(package) for name, package in closure().items()}
    assert {"msgspec", "dagster", "confluent-kafka", "sqlalchemy", "hypothesis"} <= found.keys()
    assert {name: text for name, text in found.items() if is_refused(text) or text == "unknown"} == {}


@pytest.mark.parametrize(
    "text",
    ["GPL-3.0-only", "AGPL-3.0-or-later", "GNU General Public License v2 (GPLv2)", "GNU Affero GPL", "MIT AND GPL-2.0"],
)
def test_the_gpl_is_known_by_its_names(text: str) -> None:
    assert is_refused(text)


@pytest.mark.parametrize("text", ["MIT", "GPL-2.0 OR MIT", "LGPL-3.0", "GNU Lesser General Public License v3 (LGPLv3)"])
def test_what_is_or_may_be_another_licence_is_taken(text: str) -> None:
    assert not is_refused(text)
    assert bool(LESSER.search(text)) == ("L" in text.partition("GPL")[0] or "Lesser" in text)
