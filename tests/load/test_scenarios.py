"""Each scenario of loadtests/ notices a stream that closes cleanly without the end that it names."""

import http.server
import re
import threading

import pytest

from benchmarks.testbed.server import ROOT

WITHOUT = {
    "/stream/sse": ("text/event-stream", b"event: reading\ndata: 1\n\n", b"event: done\ndata: {}\n\n"),
    "/stream/ndjson": ("application/x-ndjson", b'{"type":"reading"}\n', b'{"type":"done","chunks":120}\n'),
    "/stream/file/readings.csv": ("text/csv", b"level\n1\n", b"2\n"),
}
#: A file's end is its length, which the transport knows.
MISSED = {"/stream/sse": "incomplete", "/stream/ndjson": "incomplete", "/stream/file/{name}": "truncated"}


class River(http.server.BaseHTTPRequestHandler):
    """Every stream of the mix, with its end only where the server is ``whole``."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = self.path.partition("?")[0]
        kind, body, end = WITHOUT[path]
        self.send_response(200)
        self.send_header("Content-Type", kind)
        if path.endswith(".csv"):
            self.send_header("Content-Length", str(len(body + end)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body + end if self.server.whole else body)
        self.server.seen.add(path)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="module", params=[True, False], ids=["whole", "without the end"])
def river(request):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), River) as server:
        server.whole, server.seen, server.daemon_threads = request.param, set(), True
        server.handle_error = lambda *_: None  # users hang up
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def mix(run_locust, river, tmp_path_factory):
    """A run of the mix: outcomes by name."""
    load = ("--headless", "-u", 10, "-r", 100, "-t", "2s", "-H", f"http://127.0.0.1:{river.server_port}")
    options = (*load, "--refusal-pause", 0.2, "--metrics-port", "off")
    run = run_locust("loadtests/locustfile.py", *options, result_dir=tmp_path_factory.mktemp("results"))
    return {each["name"]: set(each["outcomes"]) - {"censored"} for each in run.result["streams"]}


def test_the_named_end_decides_the_outcome_of_every_scenario(mix, river):
    assert river.seen == set(WITHOUT)
    assert mix == {name: {"completed" if river.whole else missed} for name, missed in MISSED.items()}


def test_every_scenario_is_in_the_mix_by_weight():
    files = {each.stem for each in (ROOT / "loadtests").glob("*.py")} - {"__init__", "locustfile", "mixed"}
    text = (ROOT / "loadtests" / "mixed.py").read_text()
    assert set(re.findall(r'kind = "(\w+)"', text)) == files
