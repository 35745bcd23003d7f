"""``--stream-reconnect``: a scenario's streams go on where a server broke them off, and each stays one stream."""

import http.server
import threading

import pytest

#: Events of a stream, and after how many of them each connection is broken off.
EVENTS, AT_A_TIME = 12, 5
BODY_BYTES = 1_000


class BreaksOff(http.server.BaseHTTPRequestHandler):
    """Serves numbered events from the last one's id on, and breaks off in mid-body."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        begin = int(self.headers.get("Last-Event-ID", 0))
        end = min(begin + AT_A_TIME, EVENTS)
        self.server.began.append(begin)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Content-Length", str(BODY_BYTES))
        self.end_headers()
        body = b"retry: 20\n\n" + b"".join(b"id: %d\ndata: x\n\n" % (n + 1) for n in range(begin, end))
        if end == EVENTS:
            body = (body + b"event: done\ndata: x\n\n").ljust(BODY_BYTES, b":")
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), BreaksOff) as server:
        server.began, server.daemon_threads = [], True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def run(server, start, until, tmp_path):
    """A run that goes on until each of its users has had several streams."""

    def with_option(*options):
        url = f"http://127.0.0.1:{server.server_port}"
        stream = ("--stream-path", "/events", "--stream-end", "event:done", *options)
        running = start.headless(url, *stream, users=2, run_time="300s", result_dir=tmp_path)
        until(lambda: server.began.count(0) > 8, "streams have begun")
        return running.stop()

    return with_option


def test_streams_go_on_behind_their_last_event_and_each_is_one_stream(run, server):
    done = run("--stream-reconnect", 2)
    assert done.status == 0, done.output
    (streams,) = done.result["streams"]
    completed = streams["outcomes"].pop("completed")
    assert set(streams["outcomes"]) <= {"censored"}
    assert sorted(set(server.began)) == [0, 5, 10]
    assert streams["started"] == server.began.count(0)
    assert streams["reconnects"] == len(server.began) - streams["started"]
    assert streams["duration"]["count"] == completed > 1
    assert streams["chunks"] >= completed * (EVENTS + 1)


def test_without_the_option_they_are_truncated(run, server):
    done = run()
    assert done.status == 1
    (streams,) = done.result["streams"]
    assert set(streams["outcomes"]) == {"truncated"}
    assert (streams["reconnects"], set(server.began)) == (0, {0})
