"""What is particular to a wire format: where it resumes, what it may be called, how its parts are framed."""

import json
from email.parser import BytesParser

import httpx
import pytest
from httpx_sse import connect_sse

FAST = "chunks=5&interval_ms=1"


@pytest.fixture(scope="session")
def app(httptools_app):
    return httptools_app


def ids(answer):
    return [int(line[4:]) for line in answer.body.decode().splitlines() if line.startswith("id: ")]


def ask_from(app, last_event_id, query=FAST):
    return app.get(f"/stream/sse?{query}", headers={"Last-Event-ID": last_event_id})


@pytest.mark.parametrize(("last_event_id", "first"), [("0", 1), ("3", 4), ("4", 5)])
def test_events_go_on_after_the_last_one_that_came(app, last_event_id, first):
    answer = ask_from(app, last_event_id)
    assert ids(answer) == list(range(first, 6))
    assert b"event: done" in answer.body


@pytest.mark.parametrize("last_event_id", ["-1", "x", "", "1.5", "٣", "1" * 30])
def test_an_id_that_is_none_of_ours_is_as_if_it_were_not_there(app, last_event_id):
    assert ids(ask_from(app, last_event_id.encode().decode("latin-1"))) == list(range(6))


def test_who_has_seen_the_end_is_told_to_stop_asking(app):
    assert ask_from(app, "5").status == 204


def test_a_stream_that_failed_goes_on_when_it_is_resumed(app):
    query = f"{FAST}&fail_at=3&fail_how=cut"
    first = app.get(f"/stream/sse?{query}")
    assert (ids(first), first.whole) == ([0, 1, 2], False)
    again = ask_from(app, "2", query)
    assert (ids(again), again.whole) == ([3, 4, 5], True)


def test_an_sse_client_reads_the_events(app):
    with (
        httpx.Client() as client,
        connect_sse(client, "GET", f"{app.announcement['url']}/stream/sse?{FAST}") as source,
    ):
        events = list(source.iter_sse())
    assert [event.event for event in events] == ["reading"] * 5 + ["done"]
    assert events[4].json()["seq"] == 4
    assert events[-1].id == "5"


@pytest.mark.parametrize(
    ("query", "accept", "expected"),
    [
        ("", "*/*", "application/x-ndjson"),
        ("", "", "application/x-ndjson"),
        ("", "application/jsonl", "application/jsonl"),
        ("", "text/html, Application/JSONL;q=0.9, */*;q=0.1", "application/jsonl"),
        ("", "application/x-ndjson, application/jsonl", "application/x-ndjson"),
        ("&form=jsonl", "application/x-ndjson", "application/jsonl"),
        ("&form=ndjson", "application/jsonl", "application/x-ndjson"),
    ],
)
def test_lines_are_called_what_was_asked_for(app, query, accept, expected):
    answer = app.get(f"/stream/ndjson?{FAST}{query}", headers={"Accept": accept})
    assert answer.headers["content-type"] == expected
    assert "Accept" in answer.headers["vary"].split(", ")
    assert len(answer.body.splitlines()) == 6


@pytest.mark.parametrize("subtype", ["x-mixed-replace", "mixed"])
def test_parts_are_what_a_parser_of_mail_reads(app, subtype):
    answer = app.get(f"/stream/multipart?{FAST}&subtype={subtype}&chunk_bytes=400")
    content_type = answer.headers["content-type"]
    assert content_type == f"multipart/{subtype}; boundary=gauge"
    message = BytesParser().parsebytes(b"Content-Type: %b\r\n\r\n%b" % (content_type.encode(), answer.body))
    parts = message.get_payload()
    assert [json.loads(part.get_payload(decode=True))["seq"] for part in parts] == list(range(5))
    assert all(int(part["Content-Length"]) == len(part.get_payload(decode=True)) for part in parts)
    assert {part.get_content_type() for part in parts} == {"application/json"}
    assert message.epilogue is not None


@pytest.mark.parametrize("size_bytes", [280, 300, 1000, 1200, 65536])
def test_a_part_is_as_large_as_was_asked_for(app, size_bytes):
    _, *parts, _ = app.get(f"/stream/multipart?chunks=3&interval_ms=0&chunk_bytes={size_bytes}").chunks
    assert [len(part) for part in parts] == [size_bytes] * 3


def test_a_body_that_failed_is_not_closed(app):
    body = app.get(f"/stream/multipart?{FAST}&fail_at=2").body
    assert body.endswith(b"\r\n--gauge")
    assert body.count(b'"type":"reading"') == 2


def test_a_part_is_whole_before_the_next_is_made(app):
    with app.connect("/stream/multipart?chunks=10&interval_ms=60000") as connection:
        received = b""
        while not received.endswith(b"}\r\n--gauge\r\n"):
            received += connection.recv(65536)


@pytest.mark.parametrize("subtype", ["x-mixed-replace", "mixed"])
def test_the_metrics_count_parts_and_nothing_else(app, until, subtype):
    labels = {"route": "/stream/multipart", "protocol": "multipart"}

    def counted():
        return [app.metric(f"stream_server_{name}_total", **labels) for name in ("chunks", "finished")]

    app.settle()
    chunks, finished = counted()
    app.get(f"/stream/multipart?{FAST}&subtype={subtype}")
    until(lambda: counted() == [chunks + 5, finished + 1])


@pytest.mark.parametrize(
    ("field", "status", "first", "last"),
    [("bytes=100-199", 206, 100, 199), ("bytes=-50", 206, 4046, 4095), ("bytes=0-", 206, 0, 4095), ("x", 200, 0, 4095)],
)
def test_a_part_of_a_file_is_that_part(app, field, status, first, last):
    path = "/stream/file/river.txt?chunks=4&chunk_bytes=1024&interval_ms=0"
    whole, answer = app.get(path), app.get(path, headers={"Range": field})
    assert answer.status == status
    assert answer.body == whole.body[first : last + 1]
    assert answer.headers.get("content-range") == (f"bytes {first}-{last}/4096" if status == 206 else None)
    assert (answer.headers["etag"], answer.headers["accept-ranges"]) == (whole.headers["etag"], "bytes")


def test_a_part_beyond_the_end_is_416(app):
    answer = app.get("/stream/file/river.txt", headers={"Range": "bytes=99999999-"})
    assert (answer.status, answer.headers["content-range"]) == (416, "bytes */1048576")


@pytest.mark.parametrize(("version", "status"), [("", 206), ("x", 200)])
def test_a_part_of_another_version_is_the_whole(app, version, status):
    path = "/stream/file/river.txt?chunks=2&interval_ms=0"
    etag = app.get(path).headers["etag"]
    assert app.get(path, headers={"Range": "bytes=0-9", "If-Range": etag + version}).status == status


def test_the_head_of_a_file_is_that_of_its_get(app):
    answer = app.get("/stream/file/river.txt?chunks=2", method="HEAD")
    assert (answer.status, answer.headers["content-length"], answer.body) == (200, "131072", b"")


def test_a_part_is_paced_and_counted_as_its_own_chunks(app, until):
    app.settle()
    labels = {"route": "/stream/file/{name}"}
    before = app.metric("stream_server_chunks_total", **labels)
    app.get("/stream/file/river.txt?chunk_bytes=100&interval_ms=1", headers={"Range": "bytes=50-1049"})
    until(lambda: app.metric("stream_server_chunks_total", **labels) == before + 10)


@pytest.mark.parametrize(("native", "fast"), [("/native/sse", "/stream/sse"), ("/native/ndjson", "/stream/ndjson")])
def test_the_native_forms_say_the_same(app, native, fast):
    def said(path):
        lines = app.get(f"{path}?{FAST}&chunk_bytes=300").body.decode().splitlines()
        return [json.loads(line.removeprefix("data: ")) for line in lines if '"' in line]

    assert said(native) == said(fast)


def test_the_generator_that_is_not_async_says_the_same(app):
    assert app.get(f"/stream/sync?{FAST}").body == app.get(f"/stream/sse?{FAST}").body


def test_many_of_those_run_at_once(app):
    connections = [app.connect("/stream/sync?chunks=4&interval_ms=500") for _ in range(60)]
    for connection in connections:
        with connection:
            assert b"event: done" in b"".join(iter(lambda connection=connection: connection.recv(65536), b""))
