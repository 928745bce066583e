"""The asset graph as text, so that a changed edge shows in a review.

``python -m mdplatform_tests.defs.asset_graph`` writes it to ``asset_graph.txt`` beside this file.
"""

from pathlib import Path
from typing import Any

import dagster as dg

from mdplatform.definitions import defs

SNAPSHOT = Path(__file__).with_name("asset_graph.txt")


def drawn() -> str:
    """Each asset in the order of its name: group, partitions, what it depends on, and its checks."""
    graph = defs.resolve_asset_graph()
    specs = sorted(defs.resolve_all_asset_specs(), key=lambda spec: spec.key.to_user_string())
    return "\n".join(_asset(graph, spec) for spec in specs)


def _asset(graph: Any, spec: dg.AssetSpec) -> str:
    node = graph.get(spec.key)
    partitions = spec.partitions_def
    lines = [f"{spec.key.to_user_string()}  [{spec.group_name}]{'' if node.is_materializable else ' external'}"]
    if isinstance(partitions, dg.TimeWindowPartitionsDefinition):
        lines.append(f"    by {partitions.schedule_type.value.lower()}")
    lines += [f"    from {dep.asset_key.to_user_string()}" for dep in sorted(spec.deps, key=lambda dep: dep.asset_key)]
    for check in sorted(node.check_keys, key=lambda key: key.name):
        lines.append(f"    check {check.name}{', blocking' if graph.get_check_spec(check).blocking else ''}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    SNAPSHOT.write_text(drawn())
