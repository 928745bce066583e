"""The data dictionary is that of the database that is built, and leaves nothing unexplained."""

import os
from pathlib import Path

from mdplatform.core.settings import Settings
from mdplatform.warehouse.dictionary import columns, described
from mdplatform.warehouse.migrations import migrate
from mdplatform_tests.warehouse.conftest import Attach

DICTIONARY = Path(__file__).parents[2] / "docs" / "data_dictionary.md"


def test_the_dictionary_is_up_to_date_and_explains_every_column(streaming: Settings, attach: Attach) -> None:
    client = attach()
    migrate(streaming)
    found = columns(client)
    if os.environ.get("MDPLATFORM_WRITE_SCHEMA"):
        DICTIONARY.write_text(described(found))
    # A materialized view's columns are those of the table that it fills.
    told = [column for column in found if column.engine != "MaterializedView"]
    assert [f"{column.table}.{column.name}" for column in told if not column.comment] == []
    assert [f"{column.table}.{column.name}" for column in told if "Float" in column.type and not column.unit] == []
    assert DICTIONARY.read_text() == described(found)
