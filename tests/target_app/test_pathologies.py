"""What no service should do: each shows the signs that it is there for, and harms no more than it says."""

import contextlib
import select

import pytest

from target_app.streams.catalogue import STREAMS


@pytest.fixture(scope="session")
def app(httptools_app):
    return httptools_app


def lag_over(app, seconds):
    """How often the loop was held up for longer."""
    total = app.metric("event_loop_lag_seconds_count")
    return total - app.metric("event_loop_lag_seconds_bucket", le=str(seconds))


def test_a_generator_that_blocks_holds_the_loop_up(app, until):
    before = lag_over(app, 0.1)
    answer = app.get("/pathologies/blocking?chunks=4&interval_ms=0&block_ms=250")
    assert b"event: done" in answer.body
    until(lambda: lag_over(app, 0.1) > before)


def test_however_many_block_others_have_a_turn_after_each_block(app, until):
    def blocks():
        return app.metric("stream_server_chunks_total", route="/pathologies/blocking")

    def turns():
        return app.metric("event_loop_lag_seconds_count")

    app.settle()
    turns_before, blocks_before = turns(), blocks()
    with contextlib.ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(app.connect("/pathologies/blocking?chunks=1000&interval_ms=0&block_ms=100"))
        until(lambda: blocks() >= blocks_before + 12)
        assert app.get("/healthz").status == 200
        blocked = blocks() - blocks_before
        assert turns() - turns_before >= blocked


def test_a_generator_that_never_awaits_lets_others_run_all_the_same(app):
    with app.connect("/pathologies/never-awaits?chunks=30000") as stream, app.connect("/healthz") as other:
        received = [stream.recv(100)]
        while not select.select([other], [], [], 0)[0]:
            received.append(stream.recv(1 << 20))
            assert received[-1], "nobody else was answered before its end"
        assert other.recv(65536).startswith(b"HTTP/1.1 200")
        received += iter(lambda: stream.recv(1 << 20), b"")
    assert b"".join(received).count(b"event: reading") == 30_000


def test_an_endpoint_that_buffers_sends_all_at_once(app, until):
    labels = {"route": "/pathologies/buffered"}
    sums = ("stream_server_chunk_interval_seconds_sum", "stream_server_chunks_total")

    def counted():
        return [app.metric(name, **labels) for name in sums]

    app.settle()
    interval_s, chunks = counted()
    answer = app.get("/pathologies/buffered?chunks=10&interval_ms=20")
    assert answer.body.count(b"event: ") == 11
    until(lambda: counted() == [interval_s, chunks + 11])  # no time at all is between them


@pytest.mark.parametrize("name", ["unterminated", "hidden-error"])
def test_a_stream_that_hides_its_end_counts_as_completed(app, until, name):
    """The client alone can tell, and only one that knows the end marker."""
    labels = {"route": f"/pathologies/{name}", "outcome": "completed"}
    app.settle()
    before = app.metric("stream_server_finished_total", **labels)
    answer = app.get(f"/pathologies/{name}?chunks=6&interval_ms=50")
    assert answer.whole
    assert b"event: reading" in answer.body
    assert answer.body.count(b"event: reading") <= 3
    assert b"event: done" not in answer.body
    assert b"event: error" not in answer.body
    until(lambda: app.metric("stream_server_finished_total", **labels) == before + 1)


@pytest.mark.parametrize(
    "query",
    ["blocking?block_ms=251", "blocking?chunks=10001", "never-awaits?chunks=100001", "buffered?interval_ms=1001"]
    + ["buffered?chunks=17&chunk_bytes=65536&interval_ms=0"]
    + [f"{name}?chunks=1000&interval_ms=61" for name in ("blocking", "buffered", "unterminated", "hidden-error")]
    + [f"{name}?fail_at=1" for name in ("blocking", "never-awaits", "buffered", "unterminated", "hidden-error")],
)
def test_none_goes_further_than_it_should(app, query):
    assert app.get(f"/pathologies/{query}").status == 422


def test_what_is_buffered_may_have_a_mebibyte(app):
    assert app.get("/pathologies/buffered?chunks=16&chunk_bytes=65536&interval_ms=0").status == 200


def test_they_are_marked_as_what_they_are(app):
    paths = app.get("/openapi.json").json()["paths"]
    marked = {path for path, operations in paths.items() if operations.get("get", {}).get("tags") == ["pathologies"]}
    assert marked == {stream.path for stream in STREAMS if stream.pathological}
    assert all("**Pathology.**" in paths[path]["get"]["description"] for path in marked)
