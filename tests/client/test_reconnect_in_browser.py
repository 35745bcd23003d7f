"""A browser's EventSource and our reconnecting, side by side: the same answers lead both to the same requests."""

import http.server
import threading
from collections import defaultdict

import pytest

from streamgauge.client.blocking import run_streams
from streamgauge.client.connect.target import target_of
from streamgauge.client.http.request import Request
from streamgauge.client.plan import Limits, StreamPlan
from streamgauge.wire.sse import SSE

pytestmark = pytest.mark.browser

EVENTS, SOON = "text/event-stream", b"retry: 10\n"


def events(*blocks, status=200, content_type=EVENTS):
    return status, {"Content-Type": content_type}, SOON + b"".join(block + b"\n\n" for block in blocks)


BROKEN = events(b"id: 1\ndata: x")
#: What the n-th request for a path is answered; every later one with 204, which ends the matter.
ANSWERS = {
    "kept-by-events-without": [BROKEN, events(b"data: y"), events(b"data: z")],
    "kept-by-comments": [BROKEN, events(b": hi"), events()],
    "taken-back": [BROKEN, events(b"id:\ndata: y"), events(b"data: z")],
    "taken-back-by-a-name-alone": [BROKEN, events(b"data: y\nid")],
    "of-a-block-without-data": [events(b"id: 5"), events(b"event: e\nid: 6")],
    "of-a-block-that-was-not-closed": [(200, {"Content-Type": EVENTS}, SOON + b"\nid: 1\ndata: x\n\nid: 2\ndata: y\n")],
    "with-nul": [BROKEN, events(b"id: 2\0\ndata: y")],
    "with-spaces": [events(b"id:  a b\ndata: x")],
    "not-ascii": [events("id: å∞\ndata: x".encode())],
    "behind-cr": [(200, {"Content-Type": EVENTS}, SOON + b"id: 7\rdata: x\r\r")],
    "another-status": [BROKEN, events(status=500), BROKEN],
    "a-status-that-is-not-200": [BROKEN, events(status=201), BROKEN],
    "another-type": [BROKEN, events(content_type="text/plain"), BROKEN],
    "a-type-with-a-parameter": [BROKEN, events(content_type="text/event-stream; charset=utf-8")],
    "moved": [(307, {"Location": "/moved-to"}, b"")] * 3,
    "moved-to": [BROKEN, BROKEN],
}
PATHS = [path for path in ANSWERS if path != "moved-to"]
#: Asked for again only when all else has long been.
LAST = "last"
PAGE = "<script>for (const path of {paths}) new EventSource('/' + path)</script>"


class Server(http.server.ThreadingHTTPServer):
    """Gives the answers, and notes the id that each request brought."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/"
        self.lock, self.asked = threading.Lock(), defaultdict(list)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path = self.path.removeprefix("/")
        with self.server.lock:
            asked = self.server.asked[path]
            asked.append(self.headers.get("Last-Event-ID", ""))
        if path == "":
            answer = 200, {"Content-Type": "text/html"}, PAGE.format(paths=[*PATHS, LAST]).encode()
        elif path == LAST and len(asked) == 1:
            answer = 200, {"Content-Type": EVENTS}, b"retry: 1500\n\n"
        else:
            answers = ANSWERS.get(path, [])
            answer = answers[len(asked) - 1] if len(asked) <= len(answers) else (204, {}, b"")
        status, fields, body = answer
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def serve():
    started = []

    def start():
        server = Server()
        started.append((server, threading.Thread(target=server.serve_forever)))
        started[-1][1].start()
        return server

    yield start
    for server, thread in started:
        server.shutdown()
        thread.join()
        server.server_close()


def ours(server):
    """What our client asked for, by path."""
    limits = Limits(10.0, 10.0, 30.0)
    run_streams(
        StreamPlan(path, Request("GET", target_of(server.url + path), {}), SSE, limits=limits, reconnect=9)
        for path in PATHS
    )
    return dict(server.asked)


def the_browsers(browser, server, least, until):
    """What the browser asked for, by path, once that is as much as ``least`` and time has passed for more."""
    tab = browser.open(server.url)
    until(lambda: all(len(server.asked[path]) >= len(asked) for path, asked in least.items()))
    until(lambda: len(server.asked[LAST]) > 1)
    tab.close()
    return {path: asked for path, asked in server.asked.items() if path in ANSWERS}


def test_our_requests_are_those_of_a_browser(serve, browser, until):
    asked = ours(serve())
    assert asked == the_browsers(browser, serve(), asked, until)
    assert asked["kept-by-events-without"] == ["", "1", "1", "1"]
