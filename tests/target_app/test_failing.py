"""Streams that fail as they were asked to: what the client sees of it, and what the server counts."""

import socket

import pytest

#: What ends a stream that has nothing to hide, and what one says that failed.
MARKERS = {
    "/stream/sse": (b'event: done\ndata: {"chunks":5}\n\n', b"event: error\ndata: "),
    "/stream/sync": (b'event: done\ndata: {"chunks":5}\n\n', b"event: error\ndata: "),
    "/stream/ndjson": (b'{"type":"done","chunks":5}\n', b'{"type":"error","message":'),
    "/stream/multipart": (b"\r\n--gauge--\r\n", b'{"type":"error","message":'),
    "/v1/chat/completions": (b"data: [DONE]\n\n", b'data: {"error":{"message":'),
    "/native/sse": (b'event: done\ndata: {"chunks":5}\nid: 5\n\n', b"event: error\ndata: "),
    "/native/ndjson": (b'{"type":"done","chunks":5}\n', b'{"type":"error","message":'),
}
#: Those that have neither.
PLAIN = ("/stream/text", "/stream/bytes")
FILE = "/stream/file/river.txt"


@pytest.fixture(scope="session")
def app(httptools_app):
    return httptools_app


@pytest.fixture
def fail(app, until, asked):
    """Asks for five chunks and a failure; gives the answer, and how the server counted its end."""

    def ask(path, how, at=3):
        route = "/stream/file/{name}" if path == FILE else path
        outcomes = ("completed", "error")

        def ends():
            labels = {"route": route}
            return [app.metric("stream_server_finished_total", outcome=each, **labels) for each in outcomes]

        app.settle()
        before = ends()
        query = f"chunks=5&interval_ms=2&fail_at={at}&fail_how={how}"
        answer = app.get(f"{path}?{query}", **asked(path))
        until(lambda: ends() != before)
        return answer, dict(zip(outcomes, (now - then for now, then in zip(ends(), before, strict=True)), strict=True))

    return ask


@pytest.mark.parametrize("path", MARKERS)
def test_an_error_in_band_comes_last_and_counts_as_one(fail, path):
    answer, ends = fail(path, "error")
    _, error = MARKERS[path]
    assert answer.whole
    assert error in answer.body
    assert b"the stream failed at chunk 3" in answer.body.rsplit(error, 1)[1]
    assert ends == {"completed": 0, "error": 1}


@pytest.mark.parametrize("path", [*(path for path in MARKERS if path != "/native/sse"), *PLAIN, FILE])
def test_a_stream_that_is_cut_is_not_whole_and_counts_as_an_error(fail, path):
    answer, ends = fail(path, "cut")
    assert not answer.whole
    assert ends == {"completed": 0, "error": 1}


@pytest.mark.parametrize("path", [*MARKERS, *PLAIN])
def test_a_stream_can_end_as_if_nothing_had_happened(fail, path):
    answer, ends = fail(path, "end")
    assert answer.whole
    assert not any(marker in answer.body for marker in MARKERS.get(path, ()))
    assert ends == {"completed": 1, "error": 0}


@pytest.mark.parametrize("path", MARKERS)
def test_the_end_marker_itself_can_be_what_fails(fail, path):
    answer, _ = fail(path, "end", at=5)
    assert MARKERS[path][0] not in answer.body
    assert answer.body.count(b"delta" if "chat" in path else b'"seq":') == (6 if "chat" in path else 5)


@pytest.mark.parametrize(
    ("path", "how"),
    [(path, "error") for path in (*PLAIN, FILE)] + [("/native/sse", "cut"), (FILE, "end")],
)
def test_what_a_format_cannot_do_is_refused(app, path, how):
    answer = app.get(f"{path}?fail_at=1&fail_how={how}")
    assert answer.status == 422
    assert answer.json()["detail"][0]["loc"] == ["query", "fail_how"]


@pytest.mark.parametrize("path", [*(path for path in MARKERS if path != "/native/sse"), *PLAIN, FILE])
@pytest.mark.parametrize("parser", ["httptools_app", "h11_app"])
def test_a_cut_is_a_reset_where_only_the_connections_end_ends_the_body(request, asked, path, parser):
    """HTTP/1.0: a client takes what ends with the connection for whole. What was sent before arrives all the same."""
    app = request.getfixturevalue(parser)
    received, error = old_client(app, f"{path}?chunks=5&interval_ms=2&fail_at=3&fail_how=cut", **asked(path))
    assert isinstance(error, ConnectionResetError)
    whole, error = old_client(app, f"{path}?chunks=3&interval_ms=2", **asked(path))
    assert error is None
    assert len(received) > len(whole) // 2


@pytest.mark.parametrize("parser", ["httptools_app", "h11_app"])
def test_nothing_is_lost_by_the_reset_of_a_large_stream(request, parser):
    app = request.getfixturevalue(parser)
    size_bytes = 100_000
    knobs = f"chunks=200&interval_ms=0&chunk_bytes={size_bytes}&fail_at=100&fail_how=cut"
    received, error = old_client(app, f"/stream/bytes?{knobs}")
    assert isinstance(error, ConnectionResetError)
    assert len(received) > 100 * size_bytes


@pytest.mark.parametrize("path", ["/healthz", "/stream/sse?chunks=0", "/nothing", "/stream/sse?fail_at=0&fail_how=end"])
def test_what_is_whole_ends_without_a_reset(app, path):
    assert old_client(app, path)[1] is None


def old_client(app, path, method="GET", headers=None, body=b""):
    """What a client of HTTP/1.0 receives, and the error that its connection ends with."""
    received = b""
    fields = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    with socket.create_connection(app.address, timeout=60) as connection:
        head = f"{method} {path} HTTP/1.0\r\nContent-Length: {len(body)}\r\n{fields}\r\n"
        connection.sendall(head.encode() + body)
        try:
            while piece := connection.recv(65536):
                received += piece
        except OSError as error:
            return received, error
    return received, None
