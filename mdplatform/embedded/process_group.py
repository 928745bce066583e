"""A command that takes its children along when it is stopped:

``python -m mdplatform.embedded.process_group COMMAND...``

For a server that lets its children run on. SIGTERM, also the kernel's when whoever started this has ended, becomes
SIGINT to the whole process group, as Ctrl-C does, and SIGKILL after GRACE_S. Must lead its group.
"""

import os
import signal
import subprocess
import sys

GRACE_S = 25


def main(command: list[str]) -> int:
    """Returns the command's exit code; 128 and the signal's number where one ended it."""
    # Handlers, unlike SIG_IGN, are not inherited by the command.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGALRM, lambda *_: os.killpg(os.getpid(), signal.SIGKILL))
    child = subprocess.Popen(command)

    def end(*_: object) -> None:
        signal.alarm(GRACE_S)
        os.killpg(os.getpid(), signal.SIGINT)

    signal.signal(signal.SIGTERM, end)
    code = child.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
