"""The header Retry-After, obeyed within reason: a venue in trouble must not silence us for a day by a typing error."""

from __future__ import annotations

import re

LONGEST_S = 600.0  # longer is cut to this: to ask again every ten minutes costs nobody anything
BELIEVED_S = 3 * 86_400.0  # the longest ban that a venue documents; what is above it says nothing
_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")


def retry_after_s(header: str | None) -> float | None:
    """Seconds to wait; None where the header is absent or no sensible number. Venues do not send its date form."""
    text = (header or "").strip()
    if _SECONDS.fullmatch(text) is None or float(text) > BELIEVED_S:
        return None
    return min(float(text), LONGEST_S)
