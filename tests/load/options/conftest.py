"""What reads command lines as ``locust`` does, and a service and a forward proxy that keep what reaches them."""

import contextlib
import http.client
import http.server
import itertools
import json
import socket
import subprocess
import sys
import threading
import urllib.parse
from pathlib import Path

import pytest
import trustme

from benchmarks.testbed.server import ROOT

SCENARIO = """
from locust import task
from locust.exception import StopUser
from streamgauge.load import StreamUser

PATHS = iter({paths!r})

class Asker(StreamUser):
    @task
    def ask(self):
        self.play(next(PATHS), **{arguments!r})
        print("asked once", flush=True)
        raise StopUser
"""
EVENT_STREAM, WAIT_S, LONGEST_S = "text/event-stream", 0.8, 60
#: Event streams that come whole.
BODIES = {
    "/events": b"data: 1\n\ndata: 2\n\n",
    "/event": b"data: a\n\nevent: done\ndata: b\n\n",
    "/data": b"data: fin\n\n",
    "/chunks": b"data: a\n\ndata: b\n\ndata: c\n\n",
    "/member": b'data: {"n":1}\n\ndata: {"n":2,"done":true,"took_ms":81}\n\n',
    "/pings": b"event: ping\ndata: 1\n\nevent: ping\ndata: 2\n\ndata: a\n\n",
    "/report": b'data: {"error":{"message":"too hot"}}\n\n',
    "/loss": b'data: {"step":1,"error":0.25}\n\n',
}


class Service(http.server.BaseHTTPRequestHandler):
    """Keeps each request and answers by its path."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        subject = dict(itertools.chain(*self.connection.getpeercert()["subject"])) if self.server.asks_who else None
        self.server.requests.append((self.command, self.path, dict(self.headers), body, subject))
        path = self.path.partition("?")[0]
        if path in BODIES:
            self.respond(EVENT_STREAM, BODIES[path])
        else:
            with contextlib.suppress(OSError):  # streams that waited long enough hang up
                getattr(self, path.removeprefix("/"))()

    do_GET = do_POST = do_PUT = answer  # noqa: N815

    def respond(self, media_type, body, content_bytes=None):
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(content_bytes or len(body)))
        self.end_headers()
        self.wfile.write(body)

    def send(self, event):
        self.wfile.write(event)

    def lines(self):
        self.respond("application/json", b'{"a":1}\n{"a":2}\n{"a":3}\n')

    def busy(self):
        self.send_response(429)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def silent(self):
        self.server.closing.wait(LONGEST_S)

    def pauses(self):
        self.respond(EVENT_STREAM, b"data: 1\n\n", 1000)
        self.server.closing.wait(LONGEST_S)

    def drips(self):
        self.respond(EVENT_STREAM, b"data: 1\n\n", 1_000_000)
        while not self.server.closing.wait(0.05):
            self.send(b"data: 2\n\n")

    def slow(self):
        self.server.closing.wait(WAIT_S)
        self.respond(EVENT_STREAM, b"data: 1\n\n", 18)
        self.server.closing.wait(WAIT_S)
        self.send(b"data: 2\n\n")

    def hop(self):
        left = int(self.path.partition("?")[2])
        self.send_response(302)
        self.send_header("Location", f"/hop?{left - 1}" if left > 1 else "/events")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def home(self):
        self.send_response(302)
        self.send_header("Location", f"https://{self.headers['Host']}/events")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def breaks(self):
        self.respond(EVENT_STREAM, b"retry: 10\n\nid: 1\ndata: 1\n\n", 1000)
        self.close_connection = True

    def log_message(self, *_):
        """Say nothing."""


class Proxy(http.server.BaseHTTPRequestHandler):
    """A forward proxy: it opens tunnels, and is the only one that knows where ``service.test`` is."""

    protocol_version = "HTTP/1.1"

    def forward(self):
        self.server.requests.append(f"{self.command} {self.path}")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        url = urllib.parse.urlsplit(self.path)
        there = http.client.HTTPConnection(self.server.hosts[url.netloc], timeout=LONGEST_S)
        fields = {name: value for name, value in self.headers.items() if not name.startswith("Proxy-")}
        there.request(self.command, url._replace(scheme="", netloc="").geturl(), body, fields)
        answer = there.getresponse()
        content = answer.read()
        there.close()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers["Content-Type"])
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = forward  # noqa: N815

    def do_CONNECT(self):
        self.server.requests.append(f"CONNECT {self.path}")
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((host, int(port)), LONGEST_S) as there:
            self.send_response(200)
            self.end_headers()
            back = threading.Thread(target=pump, args=(there, self.connection), daemon=True)
            back.start()
            pump(self.connection, there)
            back.join(5)
        self.close_connection = True

    def log_message(self, *_):
        """Say nothing."""


def pump(source, sink):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def serving(handler, context=None, *, asks_who=False):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.requests, server.daemon_threads, server.closing = [], True, threading.Event()
        server.handle_error = lambda *_: None  # clients hang up
        server.asks_who = asks_who
        server.url = f"http://127.0.0.1:{server.server_port}"
        if context is not None:  # each connection's own thread shakes hands
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
            server.url = f"https://localhost:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))  # how soon it sees its end
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def read():
    """Reads command lines, variables and forms, all in one process that has imported Locust once."""
    command = [sys.executable, Path(__file__).with_name("command_lines.py")]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def outcome(*options, **more):
            print(json.dumps({"options": options, **more}), file=process.stdin, flush=True)
            answer = process.stdout.readline()
            assert answer, "the process that reads has ended: its traceback is above"
            return json.loads(answer)

        yield outcome
        process.stdin.close()


@pytest.fixture
def serve():
    """Starts a service, below TLS where it is given a context, which ends with the test."""
    with contextlib.ExitStack() as stack:
        yield lambda *arguments, **more: stack.enter_context(serving(Service, *arguments, **more))


@pytest.fixture
def service(serve):
    return serve()


@pytest.fixture
def proxy():
    with serving(Proxy) as server:
        server.hosts = {}
        yield server


@pytest.fixture(scope="session")
def authority():
    return trustme.CA()


@pytest.fixture
def ask(start, until, tmp_path):
    """Runs Locust until each of its users has asked for one of the paths."""

    def run(
        url, *options, paths=("/events",), arguments=None, metrics=("--metrics-port", "off"), variables=None, at=None
    ):
        locustfile = tmp_path / "scenario.py"
        locustfile.write_text(SCENARIO.format(paths=paths, arguments=arguments or {}))
        more = {"locustfile": locustfile, "result_dir": tmp_path / "results", "variables": variables}
        running = start.headless(url, *options, *metrics, users=len(paths), run_time=None, **more)

        def done():
            return running.output.count("asked once") == len(paths) or not running.child.running

        until(done, "each user has asked")
        if at is not None:
            at(running)
        return running.stop()

    return run


@pytest.fixture
def outcomes():
    """The outcomes of a run's streams by name."""
    return lambda done: {each["name"]: each["outcomes"] for each in done.result["streams"]}
