"""Every figure of a stream and of a request, to the byte and to the moment, and apart from those of its neighbours."""

import asyncio
from itertools import permutations

import pytest

from streamgauge.catalog import CATALOG

SSE = {"route": "/s", "protocol": "sse"}
INF = float("inf")
#: Less than the first bucket's bound; it adds up without rounding.
SOON_S = 2.0**-14


def test_each_moment_of_a_stream_is_in_the_figures_that_it_belongs_to_and_in_no_other(stage):
    steps = [
        (1.0, b"data: 1\n\n", 0.5),
        (0.25, b": ping\n\n", 0.125),
        (4.0, b"data: ab", 0.0625),
        (8.0, b"c\n\n", 0.03125),
        (SOON_S, b"data: 12\n\n", 0.0),
        (SOON_S, b"data: 3\n\n", 0.0),
        (16.0, b"data: 1\n\ndata: 2\n\ndata: 3\n\n", 0.25),
    ]
    for _ in range(2):
        stage.stream(steps, start_s=2.0, end=(32.0, 64.0))
    sizes, sends = [7, 9, 8, 7, 7, 7, 7], [0.5, 0.03125, 0.0, 0.0, 0.25]
    intervals = [12.46875, SOON_S, SOON_S, 16.25, 0.0, 0.0]
    assert stage.value("started_total", **SSE) == stage.value("finished_total", **SSE) == 2
    assert stage.value("active", **SSE) == 0
    assert stage.value("chunks_total", **SSE) == 2 * len(sizes)
    assert stage.value("heartbeats_total", **SSE) == 2
    assert stage.value("body_bytes_total", **SSE) == 2 * sum(len(body) for _, body, _ in steps)
    figures = {
        "time_to_first_chunk_seconds": [3.5],
        "chunk_interval_seconds": intervals,
        "chunk_send_seconds": sends,
        "chunk_size_bytes": sizes,
        "duration_seconds": [2.0 + sum(pause_s + send_s for pause_s, _, send_s in steps) + 96.0],
    }
    for name, each in figures.items():
        assert (stage.value(f"{name}_count", **SSE), stage.value(f"{name}_sum", **SSE)) == (
            2 * len(each),
            2 * sum(each),
        )
        bounds = CATALOG[f"stream_server_{name}"].buckets
        expected = {}
        for figure in each:
            bound = next((float(bound) for bound in bounds if figure <= bound), INF)
            expected[bound] = expected.get(bound, 0) + 2
        assert stage.buckets(name) == expected


def test_streams_of_other_routes_and_protocols_and_requests_stay_apart(stage):
    for count, (path, media_type) in enumerate(
        [
            ("/s", "text/event-stream"),
            ("/t", "text/event-stream"),
            ("/s", "application/x-ndjson"),
            ("/s", "text/plain"),
        ],
        start=1,
    ):
        stage.bodies(
            *[b"data: 1\n\n"] * count if "event" in media_type else [b"12345678\n"] * count,
            path=path,
            media_type=media_type,
        )
    found = [
        tuple(stage.value(name, route=route, protocol=protocol) for name in ("chunks_total", "chunk_size_bytes_sum"))
        for route, protocol in [("/s", "sse"), ("/t", "sse"), ("/s", "ndjson"), ("/s", "raw")]
    ]
    assert found == [(1, 7), (2, 14), (3, 24), (4, 36)]
    assert stage.value("http_server_request_duration_seconds_count") == 0


@pytest.mark.parametrize("order", list(permutations([65, 66, 67, 259])), ids=lambda order: "-".join(map(str, order)))
def test_chunks_sent_at_once_are_sorted_by_size_in_whatever_order(stage, order):
    stage.stream([(SOON_S, b"data: " + b"x" * (size - 8) + b"\n\n", 0.0) for size in order for _ in range(2)])
    assert stage.buckets("chunk_size_bytes") == {64.0: 4, 256.0: 2, 1024.0: 2}
    assert stage.value("chunk_size_bytes_sum") == 2 * (63 + 64 + 65 + 257)
    assert stage.buckets("chunk_interval_seconds") == {0.0001: 7}
    assert stage.buckets("chunk_send_seconds") == {0.0001: 8}


@pytest.mark.parametrize("size", [1, 2, 63, 64, 65])
def test_a_message_of_a_plain_body_has_its_own_size(stage, size):
    stage.bodies(b"x" * size, b"x" * size, media_type="text/plain")
    assert stage.buckets("chunk_size_bytes") == {64.0 if size <= 64 else 256.0: 2}
    assert stage.value("chunk_size_bytes_sum") == stage.value("body_bytes_total") == 2 * size


def test_chunks_of_one_send_share_its_bytes_and_come_without_a_pause(stage):
    stage.stream(
        [(0.0, b"1\n", 0.0), (0.25, b"x" * 39 + b"\n" + b"x" * 59 + b"\n", 0.125), (0.5, b"2\n3\n", 0.0)],
        "application/jsonl",
    )
    assert stage.value("chunks_total") == 5
    assert stage.buckets("chunk_size_bytes") == {64.0: 5}
    assert stage.value("chunk_size_bytes_sum") == 1 + 98 + 2
    assert stage.value("chunk_interval_seconds_sum") == 0.875
    assert stage.value("chunk_interval_seconds_count") == 4
    assert stage.buckets("chunk_interval_seconds")[0.0001] == 2


BEGINNINGS = [
    b"data: 12",
    b"data: 12\n",
    b"id: 7\n",
    b": note\n",
    b"data: 12\r",
    b"\xef\xbb\xbfdata: 1",
    b"data: 1\n: note\n",
]


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_an_event_that_begins_in_another_message_has_the_bytes_of_both(stage, beginning):
    rest = b"\r\n" if beginning.endswith(b"\r") else b"data: 3\n\n"
    rest = b"\n" + rest if beginning.endswith((b"1", b"2")) else rest
    for _ in range(2):
        stage.bodies(beginning, rest, b"data: 4\n\n", b": ping\n\n")
    assert stage.value("chunks_total") == 4
    assert stage.value("heartbeats_total") == 2
    assert stage.value("chunk_size_bytes_sum") == 2 * (len(beginning + rest) - 2 + 7)


@pytest.mark.parametrize("idle", [b"retry: 1\n\n", b": ping\n\n", b"id: 7\n\n", b"\n", b": a\r\n\r\n"])
def test_what_is_no_event_adds_to_no_chunk(stage, idle):
    stage.bodies(b"data: 1\n\n", idle, idle, b"data: 2\n\n", idle)
    assert stage.value("chunks_total") == 2
    assert stage.value("heartbeats_total") == (3 if idle.startswith(b":") else 0)
    assert stage.value("chunk_size_bytes_sum") == 14
    assert stage.value("body_bytes_total") == 18 + 3 * len(idle)


@pytest.mark.parametrize("idle", [b"retry: 1\n\n", b"id: 7\n\n", b": ping\n\n", b"data: cut"])
def test_the_bytes_of_a_stream_without_a_chunk_are_counted(stage, idle):
    stage.bodies(idle)
    assert stage.value("body_bytes_total") == len(idle)
    assert stage.value("chunks_total") == stage.value("time_to_first_chunk_seconds_count") == 0
    assert stage.value("finished_total", outcome="completed") == 1


def test_a_blank_line_is_a_heartbeat_each_time(stage):
    stage.bodies(b"1\n", b"\n", b" \n", b"2", b"\n", b"\n", b"3", media_type="application/x-ndjson")
    assert stage.value("chunks_total") == 3
    assert stage.value("heartbeats_total") == 3
    assert stage.value("chunk_size_bytes_sum") == 2
    assert stage.value("body_bytes_total") == 9


@pytest.mark.parametrize(
    "boundary", ["boundary=frame", 'boundary="frame"', "Boundary=frame", "BOUNDARY=frame; charset=x"]
)
def test_the_boundary_is_found_however_it_is_written(stage, boundary):
    stage.bodies(
        b"--frame\r\n\r\none\r\n--frame\r\n\r\ntwo", b"\r\n--frame--\r\n", media_type=f"multipart/mixed; {boundary}"
    )
    assert stage.value("chunks_total", protocol="multipart") == 2


@pytest.mark.parametrize("kind", ["mixed", "x-mixed-replace", "byteranges", "Related"])
def test_a_multipart_of_any_kind_is_a_stream_of_parts_even_in_one_message(stage, kind):
    part = b"--frame\r\n\r\none\r\n"

    async def app(scope, receive, send):
        fields = [(b"content-type", f"Multipart/{kind}; boundary=frame".encode())]
        await send({"type": "http.response.start", "status": 206, "headers": fields})
        await send({"type": "http.response.body", "body": part + part + b"--frame--\r\n"})

    stage.run(app)
    assert stage.value("started_total", protocol="multipart") == 1
    assert stage.value("chunks_total", protocol="multipart") == 2


@pytest.mark.parametrize("boundary", ["a,b", "a;b", "a b", "a:b", "a=b", "it's"])
def test_a_quoted_boundary_counts_whole_so_that_its_end_is_no_part(stage, boundary):
    part = f"--{boundary}\r\n\r\none\r\n".encode()
    stage.bodies(part, part, f"--{boundary}--\r\n".encode(), media_type=f'multipart/mixed; boundary="{boundary}"')
    assert stage.value("chunks_total", protocol="multipart") == 2


def test_each_end_has_a_count_and_durations_of_its_own(stage):
    async def fails(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        stage.clock.advance(8.0)
        raise ValueError("broken")

    for seconds in (1.0, 2.0):
        stage.bodies(b"data: 1\n\n", start_s=seconds)
    with pytest.raises(ValueError, match="broken"):
        stage.run(fails)
    figures = ("finished_total", "duration_seconds_count", "duration_seconds_sum")
    assert [stage.value(name, outcome="completed", **SSE) for name in figures] == [2, 2, 3.0]
    assert [stage.value(name, outcome="error", **SSE) for name in figures] == [1, 1, 8.0]


def answer(status, seconds=0.0, clock=None, body=b"whole"):
    async def app(scope, receive, send):
        clock.advance(seconds)
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body})

    return app


def test_requests_are_told_apart_by_route_method_and_status(stage):
    requests = [("/a", "GET", 200), ("/b", "GET", 200), ("/a", "POST", 200), ("/a", "GET", 404), ("/a", "BREW", 200)]
    for seconds, (path, method, status) in zip((1.0, 2.0, 4.0, 8.0, 16.0), requests, strict=True):
        for _ in range(2):
            stage.run(answer(status, seconds, stage.clock), method, path)
    name = "http_server_request_duration_seconds"
    for seconds, (path, method, status) in zip((1.0, 2.0, 4.0, 8.0, 16.0), requests, strict=True):
        labels = {"route": path, "method": "other" if method == "BREW" else method, "status_code": str(status)}
        assert stage.value(f"{name}_count", **labels) == 2
        assert stage.value(f"{name}_sum", **labels) == 2 * seconds
    assert stage.value("started_total") == 0


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"])
def test_a_known_method_has_its_own_label(stage, method):
    stage.run(answer(200, clock=stage.clock), method)
    assert stage.value("http_server_request_duration_seconds_count", method=method) == 1


LENGTH = [(b"content-length", b"18")]


def test_a_stream_of_known_length_ends_with_its_last_byte(stage):
    steps = [(1.0, b"data: 1\n\n", 2.0), (4.0, b"data: 2\n\n", 8.0)]
    stage.stream(steps, headers=LENGTH, end=(16.0, 32.0))
    assert stage.value("duration_seconds_sum", outcome="completed") == 15.0
    assert stage.value("finished_total") == stage.value("finished_total", outcome="completed") == 1
    assert stage.value("chunks_total") == 2


@pytest.mark.parametrize("headers", [(), LENGTH], ids=["without length", "with length"])
def test_chunks_that_are_sent_without_a_pause_count_wherever_they_are_counted(stage, headers):
    stage.stream([(SOON_S, b"data: 1\n\n", 0.0), (SOON_S, b"data: 2\n\n", SOON_S)], headers=headers)
    assert stage.value("chunk_interval_seconds_sum") == 2 * SOON_S
    assert stage.value("chunk_send_seconds_sum") == SOON_S
    assert stage.value("time_to_first_chunk_seconds_sum") == SOON_S
    assert stage.value("chunk_size_bytes_sum") == 14


@pytest.mark.parametrize("headers", [(), LENGTH], ids=["without length", "with length"])
def test_a_stream_lets_others_run_only_once_it_has_kept_the_loop_for_longer_than_allowed(stage, headers):
    sent, turns = [], []

    async def other():
        turns.append(len(sent))

    async def app(scope, receive, send):
        task = asyncio.create_task(other())
        fields = [(b"content-type", b"text/plain"), *headers]
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        stage.send_s = 0.0625
        for _ in range(5):
            sent.append(1)
            await send({"type": "http.response.body", "body": b"123", "more_body": True})
        await send({"type": "http.response.body", "body": b"456"})
        await task

    stage.run(app, give_way_s=0.125)
    assert turns == [3]
