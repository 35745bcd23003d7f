"""What the service sets for all streams: heartbeats, the longest duration, and an end in good order."""

import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

#: Several times the silence after which a heartbeat goes out, for a busy machine may make that longer.
LONGEST_S = 4
SILENT = "chunks=20&interval_ms=10000"
#: What each stream says when it lasts too long, and what ends it when the app ends; None where it is cut.
STREAMS = {
    "/stream/sse": (b"event: error\n", b"event: done\n"),
    "/stream/sync": (b"event: error\n", b"event: done\n"),
    "/stream/ndjson": (b'{"type":"error"', b'{"type":"done"'),
    "/stream/multipart": (b'{"type":"error"', b"\r\n--gauge\r\n4\r\n--\r\n"),
    "/v1/chat/completions": (b'{"error":', b"[DONE]"),
    "/native/sse": (b"event: error\n", b"event: done\n"),
    "/native/ndjson": (b'{"type":"error"', b'{"type":"done"'),
    "/stream/text": (None, b""),
    "/stream/bytes": (None, b""),
    "/stream/file/river.txt": (None, b""),
}
JSONL = "/stream/ndjson?form=jsonl"
HEARTBEATS = {"/stream/sse": b": still here\n\n", "/stream/ndjson": b"\n", "/v1/chat/completions": b": still here\n\n"}


@pytest.fixture(scope="module")
def late(start_module, asked):
    """What each stream of an app sent that lets none last for long; and that app."""
    app = start_module("--max-stream-s", str(LONGEST_S), "--heartbeat-s", "1")
    paths = [*STREAMS, JSONL]
    with ThreadPoolExecutor(len(paths)) as threads:
        answers = threads.map(
            lambda path: app.get(f"{path}{'&' if '?' in path else '?'}{SILENT}", **asked(path)), paths
        )
        return dict(zip(paths, answers, strict=True)), app


def route_of(path):
    return "/stream/file/{name}" if "/file/" in path else path.partition("?")[0]


@pytest.mark.parametrize("path", STREAMS)
def test_a_stream_that_lasts_too_long_says_so_or_is_cut(late, until, path):
    answers, app = late
    said, _ = STREAMS[path]
    assert answers[path].whole == (said is not None)
    assert (said or b"") in answers[path].body
    streams = sum(route_of(each) == route_of(path) for each in answers)
    labels = {"route": route_of(path), "outcome": "deadline"}
    until(lambda: app.metric("stream_server_finished_total", **labels) == streams)


@pytest.mark.parametrize("path", HEARTBEATS)
def test_silence_is_kept_alive(late, until, path):
    answers, app = late
    heartbeats = [chunk for chunk in answers[path].chunks if chunk == HEARTBEATS[path]]
    assert 1 <= len(heartbeats) <= LONGEST_S
    until(lambda: app.metric("stream_server_heartbeats_total", route=path) == len(heartbeats))


@pytest.mark.parametrize("path", ["/stream/text", "/stream/bytes", "/stream/multipart", "/native/ndjson", JSONL])
def test_a_format_without_heartbeats_is_silent(late, path):
    answers, _ = late
    assert len(answers[path].chunks) == {"/stream/multipart": 3}.get(
        path, 1 + (STREAMS.get(path, [b""])[0] is not None)
    )


@pytest.fixture(scope="module")
def drained(start_module, asked):
    """What each stream of an app sent that was ended in mid-stream; and its exit status."""
    app = start_module("--grace-s", "600")
    connections = {path: app.connect(f"{path}?{SILENT}", **asked(path)) for path in STREAMS}
    received = {path: connection.recv(65536) for path, connection in connections.items()}
    app.process.send_signal(signal.SIGTERM)
    for path, connection in connections.items():
        with connection:
            received[path] += b"".join(iter(lambda connection=connection: connection.recv(65536), b""))
    return received, app.end()


@pytest.mark.parametrize("path", STREAMS)
def test_a_stream_ends_in_good_order_when_the_app_does(drained, path):
    received, status = drained
    assert status == 0
    _, end = STREAMS[path]
    head, _, body = received[path].partition(b"\r\n\r\n")
    assert end in body
    if "/file/" in path:
        assert b"content-length: %d" % len(body) in head
    else:
        assert body.endswith(b"0\r\n\r\n")
