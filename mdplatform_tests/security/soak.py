"""``python -m mdplatform_tests.security.soak [MESSAGES] [SEED]``: a long flood through the line, with its account."""

from __future__ import annotations

import json
import resource
import sys
import time

from mdplatform_tests.security.hostile import Line, flood


def main(count: int = 1_000_000, seed: int = 1) -> int:
    """Exit code 1 when a message is neither taken nor counted; a consumer that ends raises."""
    line, began, slowest_s = Line(), time.monotonic(), 0.0
    for dataset, value in flood(count, seed):
        at = time.process_time()
        line.take(dataset, value)
        slowest_s = max(slowest_s, time.process_time() - at)
    line.show()
    account = line.account()
    facts = {
        "messages": line.sent.total(),
        "seconds": round(time.monotonic() - began, 1),
        "slowest_message_cpu_ms": round(slowest_s * 1000, 1),
        "largest_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "read_and_accounted_for": account,
        "passed_over": {"signals": line.engine.passed_over.counts(), "page": line.board.passed_over.counts()},
        "left_out_by_the_page": line.board.left_out,
        "signals": line.signals,
        "dead_letters": line.letters,
        "counted_without_letter": line.engine.unburied,
        "sent_to_browsers_mb": round(line.pushed / 1e6, 1),
    }
    sys.stdout.write(json.dumps(facts, indent=1) + "\n")
    return 0 if all(read == accounted for read, accounted in account.values()) else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:3])))
