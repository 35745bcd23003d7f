"""WebSocket, token streams, multipart and gzip from Starlette under uvicorn, held against the server's own log."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks.testbed.server import Server
from streamgauge.client.blocking import run_streams
from streamgauge.client.connect.target import target_of
from streamgauge.client.http.request import Request
from streamgauge.client.plan import Limits, StreamPlan
from streamgauge.runner.finished_run import run_locust
from streamgauge.stats.outcome import Outcome
from streamgauge.wire.formats import FORMATS
from streamgauge.wire.rules import read_end

pytestmark = pytest.mark.timeout(900)

APP = Path(__file__).parent / "servers" / "protocols_app.py"
COMPLETED = Outcome.COMPLETED
#: Seconds as floats lose about this much.
ROUNDING_S = 1e-6


@pytest.fixture(scope="module")
def _server():
    with Server(sys.executable, str(APP)) as server:
        yield server


@pytest.fixture
def server(_server):
    _server.log()
    return _server


@pytest.fixture
def stream(server):
    """The record of one stream."""

    def run(path, protocol="auto", *, headers=None, method="GET", body=b"", end=None, **options):
        request = Request(method, target_of(path, server.url), headers or {}, body)
        return run_streams(
            [StreamPlan("stream", request, FORMATS[protocol], read_end(end), Limits(60.0, 60.0), **options)]
        )[0]

    return run


def check_timed_one_by_one(record, log):
    """A chunk arrives after its own entry in the log and before the next one's, on a connection of one host.

    Its arrival is known to be after that of the read before; a part of no known length ends with the next part's begin.
    """
    sent_s = [sent_ns / 1e9 for sent_ns in log.streams[0]]
    entries_s = [*sent_s, record.start_s + record.duration_s]
    most_s = max(after - before for before, after in zip(entries_s, entries_s[3:], strict=False))
    least_s = (sent_s[-1] - sent_s[1]) / (len(sent_s) - 1)
    assert least_s - ROUNDING_S <= record.max_chunk_interval_s <= most_s + ROUNDING_S


def test_a_websockets_messages_are_those_that_the_server_sent(stream, server):
    seen = []
    record = stream("/ws?chunks=20", "websocket", on_chunk=seen.append)
    assert (record.outcome, record.chunks) == (COMPLETED, 20), record.reason
    assert [json.loads(message)["n"] for message in seen] == list(range(1, 21))
    check_timed_one_by_one(record, server.log())


def test_messages_are_compressed_on_the_wire(stream):
    record = stream("/ws?chunks=5&bytes=5000", "websocket")
    assert "permessage-deflate" in record.headers["sec-websocket-extensions"]
    assert (record.outcome, record.chunks) == (COMPLETED, 5), record.reason


def test_the_first_message_is_sent_and_answered(stream):
    seen = []
    record = stream("/ws?echo=1&chunks=1", "websocket", body="Höhe?".encode(), on_chunk=seen.append)
    assert record.outcome is COMPLETED, record.reason
    assert json.loads(seen[0])["echo"] == "Höhe?"


@pytest.mark.parametrize(
    ("code", "outcome"), [(1000, COMPLETED), (1001, COMPLETED), (1011, "in_band_error"), (4000, "in_band_error")]
)
def test_the_servers_close_code_is_the_outcome(code, outcome, stream):
    assert stream(f"/ws?chunks=2&code={code}", "websocket").outcome == outcome


def test_the_client_closes_after_its_named_end(stream, server):
    record = stream("/ws?chunks=500&interval_ms=5", "websocket", end="chunks:10")
    assert record.outcome is COMPLETED, record.reason
    assert 10 <= record.chunks < 500


def test_a_server_that_refuses_the_upgrade_is_an_http_error(stream):
    record = stream("/refuses", "websocket")
    assert (record.outcome, record.status) == (Outcome.HTTP_ERROR, 403)


def test_a_page_where_a_websocket_should_be_is_an_http_error(stream):
    record = stream("/log", "websocket")
    assert record.outcome is Outcome.HTTP_ERROR


def chat(stream, **asked):
    body = json.dumps({"model": "m", "stream": True, "messages": [], **asked}).encode()
    return stream("/v1/chat/completions", "openai", method="POST", body=body)


@pytest.mark.parametrize("choices", [1, 3])
def test_tokens_are_chunks_and_roles_and_usage_are_none(choices, stream, server):
    record = chat(stream, max_tokens=4, n=choices)
    assert (record.outcome, record.chunks, record.tokens) == (COMPLETED, 4 * choices, 4 * choices), record.reason
    first_s, second_s, *_, last_s = (sent_ns / 1e9 for sent_ns in server.log().streams[0])
    end_s = record.start_s + record.duration_s
    # A read that was late brings the first or the last chunk with others: a time is then known as a range. So is one
    # before which the request may have waited for a CPU.
    first_least_s, first_most_s = ranged(record, "time_to_first_chunk")
    assert first_s - ROUNDING_S <= record.start_s + first_most_s
    assert record.start_s + first_least_s <= second_s + ROUNDING_S
    least_s, most_s = (each * (record.tokens / choices - 1) for each in ranged(record, "time_per_output_token"))
    assert last_s - second_s - ROUNDING_S <= most_s
    assert least_s <= end_s - first_s + ROUNDING_S


def ranged(record, name):
    """The least and the most that a time of a record can be, around its value."""
    value_s = getattr(record, f"{name}_s")
    least_s, most_s = getattr(record, f"{name}_range_s") or (value_s, value_s)
    assert least_s <= value_s <= most_s
    return least_s, most_s


def test_the_servers_count_of_tokens_counts(stream):
    assert chat(stream, max_tokens=4, stream_options={"include_usage": True}).tokens == 8


def test_a_token_stream_without_its_done_is_incomplete(stream):
    assert chat(stream, cut=True).outcome is Outcome.INCOMPLETE


def test_a_token_stream_that_says_error_is_an_in_band_error(stream):
    record = chat(stream, fails="out of memory")
    assert record.outcome is Outcome.IN_BAND_ERROR
    assert "out of memory" in record.reason


@pytest.mark.parametrize("length", ["", "&length=1"])
def test_parts_are_chunks(length, stream, server):
    record = stream(f"/multipart?chunks=6{length}")
    assert (record.outcome, record.protocol, record.chunks) == (COMPLETED, "multipart", 6), record.reason
    check_timed_one_by_one(record, server.log())


def test_parts_without_a_closing_delimiter_are_incomplete(stream):
    record = stream("/multipart?chunks=3&endless=1&length=1")
    assert (record.outcome, record.chunks) == (Outcome.INCOMPLETE, 3)


def test_lines_that_a_middleware_compresses_are_timed_one_by_one(stream, server):
    record = stream("/lines?chunks=10", headers={"Accept-Encoding": "gzip"})
    assert record.headers["content-encoding"] == "gzip"
    assert (record.outcome, record.protocol, record.chunks) == (COMPLETED, "ndjson", 10), record.reason
    check_timed_one_by_one(record, server.log())


LOCUSTFILE = """
from locust import task
from streamgauge.load import StreamUser

class Socket(StreamUser):
    fixed_count = 3
    @task
    def listen(self):
        self.client.stream("GET", "/ws?echo=1&chunks=10&skip=4,7", protocol="websocket", name="levels",
                           data="hello", sequence="json:n")

class Chat(StreamUser):
    fixed_count = 3
    @task
    def ask(self):
        asked = {"model": "m", "max_tokens": 6, "stream_options": {"include_usage": True}}
        self.client.stream("POST", "/v1/chat/completions", protocol="openai", name="chat", json=asked)

class Camera(StreamUser):
    fixed_count = 1
    @task
    def watch(self):
        self.client.stream("GET", "/multipart?chunks=5&length=1", protocol="multipart", name="camera")
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of Locust on all of them: what it left, its statistics, and the server's log."""
    directory = tmp_path_factory.mktemp("protocols")
    locustfile, stats = directory / "scenario.py", directory / "stats"
    locustfile.write_text(LOCUSTFILE)
    with Server(sys.executable, str(APP)) as server:
        load = ("--headless", "-H", server.url, "-u", 7, "-r", 100, "-t", "2s", "--json-file", stats)
        done = run_locust(locustfile, *load, result_dir=directory / "results")
        only_too_busy = done.result["verdict"]["trust"] == "invalid"
        assert done.status == (3 if only_too_busy else 0), done.output
        found = json.loads((directory / "stats.json").read_text())
        return done, {each["name"]: each for each in found}, server.log()


def named(run, name):
    return next(each for each in run[0].result["streams"] if each["name"] == name)


@pytest.mark.parametrize(("name", "protocol"), [("levels", "websocket"), ("chat", "openai"), ("camera", "multipart")])
def test_each_stream_is_one_request_of_its_protocol(name, protocol, run):
    _, stats, _ = run
    streams = named(run, name)
    assert streams["protocol"] == protocol
    assert stats[name]["method"] == protocol.upper()
    assert stats[name]["num_requests"] == streams["started"] == streams["outcomes"]["completed"]
    assert stats[name]["num_failures"] == 0


def test_all_that_the_server_sent_was_seen(run):
    done, _, log = run
    echoes = named(run, "levels")["started"]
    assert sum(done.outcomes.values()) == len(log.streams)
    assert done.chunks == log.chunks + echoes


def test_numbers_that_the_server_left_out_are_lost(run):
    streams = named(run, "levels")
    assert (streams["lost"], streams["repeated"], streams["out_of_order"]) == (2 * streams["started"], 0, 0)


def test_tokens_are_in_the_result(run):
    streams = named(run, "chat")
    assert streams["tokens"] == 12 * streams["started"]
    assert streams["time_per_output_token"]["count"] == streams["started"]
    assert 0 < streams["time_per_output_token"]["p50"] < streams["duration"]["max"]
    assert named(run, "levels")["time_per_output_token"] is None


def test_connections_of_token_streams_are_kept_and_websockets_have_their_own(run):
    _, _, log = run
    assert log.connections == named(run, "levels")["started"] + 3 + 1
