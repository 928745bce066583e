"""Run by the Python of hftbacktest: its converter for Tardis' files reads ours.

arguments: trades file, incremental_book_L2 file.
"""

import contextlib
import io
import json
import sys

from hftbacktest.data.utils import tardis
from hftbacktest.types import LOCAL_EVENT

with contextlib.redirect_stdout(io.StringIO()):
    data = tardis.convert(sys.argv[1:3], buffer_size=2_000_000, ss_buffer_size=100_000)
# Rows that were received in another order than they happened come twice: once for each clock.
kinds = data["ev"][(data["ev"] & LOCAL_EVENT) > 0] & 0xFF
counts = {name: int((kinds == kind).sum()) for name, kind in (("depth", 1), ("trades", 2), ("snapshot", 4))}
print(json.dumps(counts))
