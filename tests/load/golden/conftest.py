"""A server whose answers are scripts of bytes and pauses, and a scenario whose one user asks for each of them once."""

import http.client
import socketserver
import threading
import time

import pytest
from wsproto.utilities import generate_accept_token

#: Between two writes, so that each chunk has a read of its own.
PAUSE_S = 0.03
SCENARIO = """
import gevent
from locust import task
from locust.exception import StopUser
from streamgauge.load import StreamUser

class Reader(StreamUser):
    @task
    def read(self):
        def play(path, **more):
            return self.client.stream("GET", path, name=path.partition("?")[0], **more)

        play("/sse", protocol="sse", end="event:done", sequence="id")
        play("/sse?again", protocol="sse", end="event:done", sequence="id")
        play("/moved", protocol="sse", end="event:done")
        play("/broken", protocol="sse", end="event:done", reconnect=2)
        play("/ndjson", end="chunks:3")
        play("/raw", protocol="raw")
        play("/multipart")
        play("/tokens", protocol="openai")
        play("/error", protocol="openai")
        play("/websocket", protocol="websocket")
        play("/incomplete", protocol="sse", end="event:done")
        play("/truncated", protocol="raw")
        play("/garbled", protocol="raw")
        play("/silent", protocol="sse", idle_timeout_s=0.3)
        play("/full", protocol="sse")
        play("/left", protocol="sse", on_chunk=lambda chunk: False)
        self.client.stream("GET", "http://127.0.0.1:1/", protocol="sse", name="/closed")
        gevent.spawn(self.environment.runner.quit)
        raise StopUser
"""
SSE, NDJSON, RAW = "text/event-stream", "application/x-ndjson", "application/octet-stream"
TOKEN = 'data: {"choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n'
USAGE = 'data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":3,"total_tokens":8}}\n\n'


def chunked(media_type, *chunks, end=True):
    """A response in transfer chunks, a write each."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\nTransfer-Encoding: chunked\r\n\r\n"
    parts = [f"{len(chunk.encode()):x}\r\n{chunk}\r\n" for chunk in chunks]
    return [head, *parts, *(["0\r\n\r\n"] if end else [])]


def event(number, name=""):
    return f"id: {number}\n" + (f"event: {name}\n" if name else "") + f"data: number {number}\n\n"


#: What is answered to each path; of several scripts, each to one request.
SCRIPTS = {
    "/sse": [chunked(SSE, event(1), ": heartbeat\n\n", event(2), event(4), event(4), event(5, "done"))],
    "/moved": [["HTTP/1.1 302 Found\r\nLocation: /sse\r\nContent-Length: 0\r\n\r\n"]],
    "/broken": [
        chunked(SSE, "retry: 50\n\n" + event(1), event(2), end=False),
        chunked(SSE, event(3), event(4, "done")),
    ],
    "/ndjson": [
        [
            f"HTTP/1.1 200 OK\r\nContent-Type: {NDJSON}\r\nContent-Length: 24\r\n\r\n",
            *(f'{{"a":{n}}}\n' for n in range(3)),
        ]
    ],
    "/raw": [chunked(RAW, "one", "two", "three", "four")],
    "/multipart": [
        chunked(
            "multipart/x-mixed-replace; boundary=b",
            "--b\r\nContent-Type: text/plain\r\n\r\nfirst\r\n",
            "--b\r\nContent-Type: text/plain\r\n\r\nsecond\r\n--b--\r\n",
        )
    ],
    "/tokens": [chunked(SSE, TOKEN % "a", TOKEN % "b", TOKEN % "c", USAGE, "data: [DONE]\n\n")],
    "/error": [chunked(SSE, TOKEN % "a", 'data: {"error":{"message":"out of memory","type":"server_error"}}\n\n')],
    "/incomplete": [chunked(SSE, event(1), event(2))],
    "/truncated": [[f"HTTP/1.1 200 OK\r\nContent-Type: {RAW}\r\nContent-Length: 1000\r\n\r\n", "x" * 100]],
    "/garbled": [
        [f"HTTP/1.1 200 OK\r\nContent-Type: {RAW}\r\nTransfer-Encoding: chunked\r\n\r\n", "5\r\nhello\r\nzz\r\n"]
    ],
    "/silent": [[*chunked(SSE, event(1), end=False), None]],
    "/full": [["HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nfull"]],
    "/left": [chunked(SSE, event(1), event(2), event(3))],
}
WEBSOCKET = [b"\x81\x05hello", b"\x82\x03\x00\x01\x02", b"\x88\x02\x03\xe8"]


class Scripted(socketserver.StreamRequestHandler):
    def handle(self):
        self.connection.settimeout(60)
        path = self.rfile.readline().decode().split()[1].partition("?")[0]
        fields = http.client.parse_headers(self.rfile)
        if path == "/websocket":
            self.websocket(generate_accept_token(fields["Sec-WebSocket-Key"].encode()))
            return
        hits = self.server.hits[path] = self.server.hits.get(path, -1) + 1
        scripts = SCRIPTS[path]
        try:
            for part in scripts[min(hits, len(scripts) - 1)]:
                if part is None:
                    self.rfile.read(1)  # until the client hangs up
                else:
                    self.wfile.write(part.encode())
                    time.sleep(PAUSE_S)
        except OSError:  # it hung up
            pass

    def websocket(self, accept):
        upgrade = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        self.wfile.write(upgrade + b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        for frame in WEBSOCKET:
            time.sleep(PAUSE_S)
            self.wfile.write(frame)
        self.rfile.read(1)  # until it has answered the close


class Source(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


@pytest.fixture(scope="module")
def scripted(tmp_path_factory):
    """The server's URL and the scenario's file."""
    locustfile = tmp_path_factory.mktemp("golden") / "scenario.py"
    locustfile.write_text(SCENARIO)
    with Source(("127.0.0.1", 0), Scripted) as server:
        server.hits = {}
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", locustfile
        server.shutdown()
        thread.join()
