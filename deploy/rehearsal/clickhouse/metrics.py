"""What the node says to Prometheus behind a login, without one and where clickhouse-server says it."""

import os
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.etree import ElementTree

PORT = int(ElementTree.parse("/etc/clickhouse-server/config.d/mdplatform.xml").findtext("prometheus/port", ""))
LOGIN = {"X-ClickHouse-User": "reader", "X-ClickHouse-Key": os.environ["CLICKHOUSE_READER_PASSWORD"]}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        asked = urllib.request.Request("http://127.0.0.1:8123/metrics", headers=LOGIN)
        try:
            with urllib.request.urlopen(asked, timeout=10) as answer:
                body = answer.read()
        except OSError:
            return self.send_error(503)
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


ThreadingHTTPServer(("0.0.0.0", PORT), Handler).serve_forever()
