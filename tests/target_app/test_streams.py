"""What each endpoint sends, over a real socket: type, framing, count, content; and that the metrics say the same."""

import json
import re
import struct
import time
import zlib

import pytest

from target_app.sample_text import TEXT

FAST = "chunks=20&interval_ms=1"
ENDPOINTS = {
    "/stream/sse": ("text/event-stream; charset=utf-8", "sse", 21),
    "/stream/ndjson": ("application/x-ndjson", "ndjson", 21),
    "/stream/text": ("text/plain; charset=utf-8", "raw", 20),
    "/stream/bytes": ("application/octet-stream", "raw", 20),
}


@pytest.mark.parametrize("path", ENDPOINTS)
def test_each_chunk_is_a_transfer_chunk_of_its_own_type(app, path):
    content_type, _, chunks = ENDPOINTS[path]
    answer = app.get(f"{path}?{FAST}")
    assert answer.status == 200
    assert answer.headers["content-type"] == content_type
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-accel-buffering"] == "no"
    assert len(answer.chunks) == chunks


@pytest.mark.parametrize("path", [*ENDPOINTS, "/stream/file/{name}"])
def test_the_metrics_say_what_was_sent(app, until, path):
    app.settle()
    labels = {"route": path}
    names = [f"stream_server_{name}_total" for name in ("chunks", "body_bytes", "started", "finished")]
    before = [app.metric(name, **labels) for name in names]
    answer = app.get(f"{path.replace('{name}', 'river.txt')}?{FAST}")
    sent = [len(answer.chunks) or 16, len(answer.body), 1, 1]
    until(lambda: [app.metric(name, **labels) - a for name, a in zip(names, before, strict=True)] == sent)
    until(lambda: app.metric("stream_server_active", **labels) == 0)


@pytest.mark.parametrize("size_bytes", [1, 256, 5000])
def test_sse_is_numbered_events_and_a_last_one(app, size_bytes):
    events = app.get(f"/stream/sse?{FAST}&chunk_bytes={size_bytes}").body.decode().split("\n\n")
    assert events.pop() == ""
    *readings, done = [dict(line.split(": ", 1) for line in event.split("\n")) for event in events]
    assert [(event["id"], event["event"]) for event in readings] == [(str(n), "reading") for n in range(20)]
    assert [json.loads(event["data"])["seq"] for event in readings] == list(range(20))
    assert (done["event"], json.loads(done["data"])) == ("done", {"chunks": 20})


def test_ndjson_is_numbered_readings_and_a_last_line(app):
    *readings, done = map(json.loads, app.get(f"/stream/ndjson?{FAST}").body.splitlines())
    assert [reading["seq"] for reading in readings] == list(range(20))
    assert {reading["type"] for reading in readings} == {"reading"}
    assert readings[1]["time"] == "2024-03-01T00:15:00Z"
    assert all(0.5 < reading["level_m"] < 3 and reading["flow_m3s"] > 0 and reading["note"] for reading in readings)
    assert done == {"type": "done", "chunks": 20}


def test_text_goes_on_from_chunk_to_chunk(app):
    body = app.get("/stream/text?chunks=40&interval_ms=0&chunk_bytes=200").body
    assert body == (TEXT * 3).encode()[:8000]


def test_bytes_are_frames_with_their_checksums(app):
    for number, frame in enumerate(app.get(f"/stream/bytes?{FAST}&chunk_bytes=700").chunks):
        magic, found_number, length, checksum = struct.unpack(">4sIII", frame[:16])
        assert (magic, found_number, length) == (b"RVG1", number, 684)
        assert zlib.crc32(frame[16:]) == checksum


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("size_bytes", [300, 65536])
def test_chunk_bytes_is_the_size_of_every_chunk_but_an_end_marker(app, path, size_bytes):
    answer = app.get(f"{path}?chunks=3&interval_ms=0&chunk_bytes={size_bytes}")
    assert [len(chunk) for chunk in answer.chunks[:3]] == [size_bytes] * 3


def test_chunks_keep_to_the_clock(app):
    started_s = time.monotonic()
    app.get("/stream/text?chunks=21&interval_ms=20")
    assert time.monotonic() - started_s >= 20 * 0.020 - 0.001


def test_the_first_chunk_does_not_wait(app):
    with app.connect("/stream/sse?chunks=10&interval_ms=60000") as connection:
        received = b""
        while b"event: reading" not in received:
            received += connection.recv(65536)


@pytest.mark.parametrize(
    ("name", "size_bytes"), [("readings.csv", 4 << 20), ("river.txt", 1 << 20), ("telemetry.bin", 8 << 20)]
)
def test_a_file_comes_whole_and_always_the_same(app, name, size_bytes):
    first, second = (app.get(f"/stream/file/{name}?chunks=1000&interval_ms=0") for _ in range(2))
    assert int(first.headers["content-length"]) == len(first.body) == size_bytes
    assert "transfer-encoding" not in first.headers
    assert first.body == second.body


@pytest.mark.parametrize(("chunks", "chunk_bytes"), [(1, 10), (1, 65536), (3, 1000), (7, 99_999), (2, 1 << 20)])
def test_a_file_ends_after_the_chunks_that_were_asked_for(app, until, chunks, chunk_bytes):
    app.settle()
    before = app.metric("stream_server_chunks_total", route="/stream/file/{name}")
    answer = app.get(f"/stream/file/telemetry.bin?chunks={chunks}&interval_ms=0&chunk_bytes={chunk_bytes}")
    assert len(answer.body) == int(answer.headers["content-length"]) == chunks * chunk_bytes
    until(lambda: app.metric("stream_server_chunks_total", route="/stream/file/{name}") == before + chunks)


def test_readings_csv_is_what_it_says(app):
    header, *rows = app.get("/stream/file/readings.csv?chunks=2&interval_ms=0").body.decode().split("\r\n")
    assert header == "time,station,level_m,flow_m3s,temperature_c"
    assert all(
        re.fullmatch(r"2024-..-..T..:..:00Z,Harrow Bridge,\d\.\d{3},\d+\.\d\d,\d+\.\d", row) for row in rows[:-1]
    )


def test_an_unknown_file_is_404_with_the_names_there_are(app):
    answer = app.get("/stream/file/nothing")
    assert answer.status == 404
    assert answer.json()["detail"]["names"] == ["readings.csv", "river.txt", "telemetry.bin"]


@pytest.mark.parametrize(
    "name", ["..%2f..%2fetc%2fpasswd", "../../etc/passwd", "%2e%2e", "/etc/passwd", "river.txt%00"]
)
def test_no_name_leads_out_of_the_folder(app, name):
    assert app.get(f"/stream/file/{name}").status == 404


@pytest.mark.parametrize("path", [*ENDPOINTS, "/stream/file/river.txt"])
@pytest.mark.parametrize(
    "query",
    [
        "chunks=0",
        "chunks=100001",
        "chunks=x",
        "chunk=5",
        "interval_ms=-1",
        "interval_ms=nan",
        "interval_ms=60001",
        "chunk_bytes=0",
        "chunk_bytes=1048577",
        "chunks=100000&chunk_bytes=1048576",
        "chunks=100000&interval_ms=60000",
        "jitter=1.1",
        "jitter=nan",
        "chunks=5&fail_at=6",
        "fail_at=-1",
        "fail_at=1&fail_how=explode",
        "seed=-1",
        "seed=4294967296",
    ],
)
def test_a_query_out_of_range_is_422_and_says_why(app, path, query):
    answer = app.get(f"{path}?{query}")
    assert answer.status == 422
    assert answer.json()["detail"][0]["msg"]


def test_a_hang_up_in_mid_stream_is_a_disconnect(app, until):
    def hang_ups():
        return app.metric("stream_server_finished_total", outcome="client_disconnect")

    app.settle()
    before = hang_ups()
    for path in [*ENDPOINTS, "/stream/file/telemetry.bin"]:
        with app.connect(f"{path}?chunks=8000&interval_ms=100&chunk_bytes=1000") as connection:
            assert connection.recv(100)
    until(lambda: hang_ups() - before == 5)
    until(lambda: app.metric("stream_server_active") == 0)


def test_the_service_answers_beside_its_streams(app):
    assert app.get("/healthz").json() == {"status": "ok"}
    first = app.get("/").json()["streams"][0]
    assert (first["path"], first["protocol"], first["end"]) == ("/stream/sse", "sse", "event:done")
    assert app.get("/docs").status == 200


@pytest.mark.parametrize("text", ["", "null"])
def test_a_knob_that_may_be_null_is_written_so_in_a_query(httptools_app, text):
    """A form sends a field that is not filled in; a generated client sends null."""
    given = httptools_app.get(f"/stream/ndjson?chunks=2&interval_ms=0&fail_at={text}&seed={text}&form={text}")
    assert (given.status, given.body) == (200, httptools_app.get("/stream/ndjson?chunks=2&interval_ms=0").body)
    assert httptools_app.get(f"/stream/sse?chunks={text}").status == 422
