"""Kill -9 for work that writes to a server: a process of its own that dies as it is about to write for the nth time."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

WRITES = (b"PUT ", b"POST ", b"DELETE ")


def work_by_lines(work: Callable[[str], object]) -> None:
    """For each line of stdin, in a forked child: ``work(line)``. Prints the child's pid and, once it ended, how."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            work(line.strip())
            os._exit(0)
        print(child, flush=True)
        print(os.waitpid(child, 0)[1], flush=True)


class Worker:
    """A process that calls ``work_by_lines``."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def is_killed(self, line: str, relay: KillingRelay) -> bool:
        """Have one line worked on; whether ``relay`` killed it before it was done."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        relay.victim.put(self._number())
        status = self._number()
        assert status in (0, signal.SIGKILL), f"the work failed: {status}"
        return status != 0

    def _number(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())


@contextmanager
def worker(module: str, *arguments: str) -> Iterator[Worker]:
    command = [sys.executable, "-m", module, *arguments]
    root = Path(__file__).parents[1]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, cwd=root
    ) as process:
        try:
            yield Worker(process)
        finally:
            process.kill()


class KillingRelay:
    """Between a process and the HTTP server it writes to: kills it at its nth write, of which ``share`` arrives."""

    def __init__(self, upstream: tuple[str, int], nth: int, share: float = 0.5) -> None:
        self.victim: SimpleQueue[int] = SimpleQueue()
        self._upstream = upstream
        self._left, self._share = nth, share
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> KillingRelay:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._upstream)
            Thread(target=self._relay, args=(client, server, True), daemon=True).start()
            Thread(target=self._relay, args=(server, client, False), daemon=True).start()

    def _relay(self, source: socket.socket, target: socket.socket, asks: bool) -> None:
        try:
            while data := source.recv(65536):
                if asks and data.startswith(WRITES) and self._kills():
                    data = data[: int(len(data) * self._share)]
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:  # one of both is gone
            source.close()
            target.close()

    def _kills(self) -> bool:
        self._left -= 1
        if self._left == 0:
            os.kill(self.victim.get(timeout=30), signal.SIGKILL)
        return self._left == 0
