"""A service of somebody's own: one event stream, behind a token, and nothing else. Standard library only.

``/counts`` tells how often each path was asked for, by status.
"""

import json
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

EVENTS, INTERVAL_S = 20, 0.06
_counts: Counter[str] = Counter()
_lock = threading.Lock()


class Service(BaseHTTPRequestHandler):
    """Answers one request a connection."""

    def do_GET(self) -> None:
        if self.path == "/counts":
            self.answer(200, json.dumps(_counts).encode())
            return
        status = 200 if self.path == "/v1/events" else 404
        if status == 200 and self.headers["Authorization"] != "Bearer secret":
            status = 401
        with _lock:
            _counts[f"{status} {self.path}"] += 1
        self.answer(status, b"no") if status != 200 else self.stream()

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for number in range(EVENTS):
            self.wfile.write(b"data: %d\n\n" % number)
            time.sleep(INTERVAL_S)
        self.wfile.write(b"event: done\ndata: bye\n\n")

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("0.0.0.0", int(sys.argv[1])), Service).serve_forever()
