"""What Prometheus would read at an address."""

from __future__ import annotations

from urllib.request import Request, urlopen

from prometheus_client.parser import text_string_to_metric_families

Labels = tuple[tuple[str, str], ...]  # sorted by name


def scraped(url: str, headers: dict[str, str] | None = None) -> dict[str, dict[Labels, float]]:
    """The values of each name by its labels, as the library reads them. Raises OSError."""
    with urlopen(Request(url, headers=headers or {}), timeout=30) as answer:
        assert answer.headers.get_content_type() == "text/plain"
        return values(answer.read().decode())


def values(text: str) -> dict[str, dict[Labels, float]]:
    found: dict[str, dict[Labels, float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found
