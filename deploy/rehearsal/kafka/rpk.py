#!/usr/bin/env python3
"""`rpk cluster health`: asks the broker for the versions that it speaks, which it answers once it serves."""

import socket
import struct
import sys

API_VERSIONS, VERSION, CORRELATION = 18, 0, 7
if sys.argv[1:] != ["cluster", "health"]:
    sys.exit(f"rpk: only `cluster health` is rehearsed, not {' '.join(sys.argv[1:])}")
request = struct.pack(">hhih", API_VERSIONS, VERSION, CORRELATION, -1)
try:
    with socket.create_connection(("127.0.0.1", 9092), timeout=5) as broker:
        broker.sendall(struct.pack(">i", len(request)) + request)
        answer = broker.recv(4096)
except OSError as error:
    sys.exit(f"Healthy: false ({error})")
_, correlation, failure = struct.unpack(">iih", answer[:10])
sys.stdout.write(f"Healthy: {'true' if (correlation, failure) == (CORRELATION, 0) else 'false'}\n")
