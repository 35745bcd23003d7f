"""The paced source over real sockets: what it sends is what it logs."""

import http.client
import time
from itertools import pairwise

import pytest

from benchmarks.testbed.server import Server
from streamgauge.calibrate.source import START_FIELD
from streamgauge.calibrate.truth import fetch


@pytest.fixture(scope="module")
def server():
    with Server() as source:
        yield source


@pytest.fixture
def get(server):
    """The body of a path, by a plain client."""

    def read(path, **fields):
        fetch(server.url)
        connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=60)
        try:
            connection.request("GET", path, headers=fields)
            return connection.getresponse().read()
        finally:
            connection.close()

    return read


def test_each_event_and_the_one_that_ends_the_stream_are_in_the_log(server, get):
    body = get("/sse?chunks=5&interval_ms=5&bytes=100")
    (stream,) = fetch(server.url)
    assert body.count(b"data: ") == len(stream.before_ns) == len(stream.after_ns) == 6
    assert body.endswith(b"event: done\ndata: bye\n\n")


def test_a_send_is_logged_before_and_after(server, get):
    get("/sse?chunks=5&interval_ms=5")
    (stream,) = fetch(server.url)
    moments = [
        stream.asked_ns,
        *(each for pair in zip(stream.before_ns, stream.after_ns, strict=True) for each in pair),
    ]
    assert moments == sorted(moments)


def test_the_start_that_a_client_gives_is_in_the_log(server, get):
    said_ns = time.monotonic_ns()
    get("/sse?chunks=2&interval_ms=1", **{START_FIELD: str(said_ns)})
    (stream,) = fetch(server.url)
    assert stream.start_ns == said_ns < stream.asked_ns


def test_a_stream_of_a_client_that_gives_no_start_starts_when_it_is_asked_for(server, get):
    get("/sse?chunks=2&interval_ms=1", **{START_FIELD: "soon"})
    (stream,) = fetch(server.url)
    assert stream.start_ns == stream.asked_ns


def test_a_burst_is_sent_back_to_back(server, get):
    get("/sse?chunks=9&interval_ms=50&burst=2")
    (stream,) = fetch(server.url)
    gaps_ns = [later - earlier for earlier, later in pairwise(stream.before_ns)]
    assert min(gaps_ns[::2]) < 50_000_000  # a source that is kept from running makes some of them longer
    due_ns = [stream.asked_ns + (number + 2) * 50_000_000 for number in range(0, 10, 2)]
    assert all(due < sent for due, sent in zip(due_ns, stream.before_ns[::2], strict=True))


def test_chunks_have_the_size_that_was_asked_for(get):
    event, *_ = get("/sse?chunks=2&interval_ms=1&bytes=300").split(b"\n\n")
    assert len(event) + 2 == pytest.approx(300, abs=5)
