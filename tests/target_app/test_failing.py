"""Streams that fail as they were asked to: what the client sees of it, and what the server counts."""

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
def fail(app, eventually, asked):
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
        eventually(lambda: ends() != before)
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
