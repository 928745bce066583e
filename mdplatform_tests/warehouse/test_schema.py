"""The description that people read is that of the database that is built."""

import os

from mdplatform.core.settings import Settings
from mdplatform.warehouse.client import connect
from mdplatform.warehouse.files import SQL
from mdplatform.warehouse.migrations import migrate
from mdplatform.warehouse.schema import describe
from mdplatform_tests.warehouse.topics import create_topics


def test_schema_file_is_up_to_date(streaming: Settings) -> None:
    create_topics(streaming)
    migrate(streaming)
    with connect(streaming) as client:
        text = describe(client)
    if os.environ.get("MDPLATFORM_WRITE_SCHEMA"):
        (SQL / "schema.sql").write_text(text)
    assert (SQL / "schema.sql").read_text() == text
