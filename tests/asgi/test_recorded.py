"""Every value of a stream and of a request is exact, and separate from those of other routes and protocols."""

import asyncio
from itertools import permutations

import pytest

from streamgauge.catalog import CATALOG

SSE = {"route": "/s", "protocol": "sse"}
INF = float("inf")
#: Below the first bucket's bound. Sums of it need no rounding.
SOON_S = 2.0**-14


def test_each_time_and_byte_of_a_stream_counts_in_the_right_metrics_only(server):
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
        server.stream(steps, start_s=2.0, end=(32.0, 64.0))
    sizes, sends = [7, 9, 8, 7, 7, 7, 7], [0.5, 0.03125, 0.0, 0.0, 0.25]
    intervals = [12.46875, SOON_S, SOON_S, 16.25, 0.0, 0.0]
    assert server.value("started_total", **SSE) == server.value("finished_total", **SSE) == 2
    assert server.value("active", **SSE) == 0
    assert server.value("chunks_total", **SSE) == 2 * len(sizes)
    assert server.value("heartbeats_total", **SSE) == 2
    assert server.value("body_bytes_total", **SSE) == 2 * sum(len(body) for _, body, _ in steps)
    figures = {
        "time_to_first_chunk_seconds": [3.5],
        "chunk_interval_seconds": intervals,
        "chunk_send_seconds": sends,
        "chunk_size_bytes": sizes,
        "duration_seconds": [2.0 + sum(pause_s + send_s for pause_s, _, send_s in steps) + 96.0],
    }
    for name, each in figures.items():
        assert (server.value(f"{name}_count", **SSE), server.value(f"{name}_sum", **SSE)) == (
            2 * len(each),
            2 * sum(each),
        )
        bounds = CATALOG[f"stream_server_{name}"].buckets
        expected = {}
        for figure in each:
            bound = next((float(bound) for bound in bounds if figure <= bound), INF)
            expected[bound] = expected.get(bound, 0) + 2
        assert server.buckets(name) == expected


def test_routes_and_protocols_are_counted_separately(server):
    for count, (path, media_type) in enumerate(
        [
            ("/s", "text/event-stream"),
            ("/t", "text/event-stream"),
            ("/s", "application/x-ndjson"),
            ("/s", "text/plain"),
        ],
        start=1,
    ):
        server.bodies(
            *[b"data: 1\n\n"] * count if "event" in media_type else [b"12345678\n"] * count,
            path=path,
            media_type=media_type,
        )
    found = [
        tuple(server.value(name, route=route, protocol=protocol) for name in ("chunks_total", "chunk_size_bytes_sum"))
        for route, protocol in [("/s", "sse"), ("/t", "sse"), ("/s", "ndjson"), ("/s", "raw")]
    ]
    assert found == [(1, 7), (2, 14), (3, 24), (4, 36)]
    assert server.value("http_server_request_duration_seconds_count") == 0


@pytest.mark.parametrize("order", list(permutations([65, 66, 67, 259])), ids=lambda order: "-".join(map(str, order)))
def test_chunks_sent_at_once_get_their_size_buckets_in_any_order(server, order):
    sizes = [size for size in order for _ in range(2)] + list(
        order
    )  # new bodies, known ones, and known ones after another size
    server.stream([(SOON_S, b"data: " + b"x" * (size - 8) + b"\n\n", 0.0) for size in sizes])
    assert server.buckets("chunk_size_bytes") == {64.0: 6, 256.0: 3, 1024.0: 3}
    assert server.value("chunk_size_bytes_sum") == 3 * (63 + 64 + 65 + 257)
    assert server.buckets("chunk_interval_seconds") == {0.0001: 11}
    assert server.buckets("chunk_send_seconds") == {0.0001: 12}


@pytest.mark.parametrize("size", [1, 2, 63, 64, 65])
def test_a_raw_message_counts_with_its_whole_size(server, size):
    server.bodies(b"x" * size, b"x" * size, media_type="text/plain")
    assert server.buckets("chunk_size_bytes") == {64.0 if size <= 64 else 256.0: 2}
    assert server.value("chunk_size_bytes_sum") == server.value("body_bytes_total") == 2 * size
    assert server.value("heartbeats_total") == 0


def test_chunks_of_one_send_share_its_bytes_with_intervals_of_zero(server):
    server.stream(
        [(0.0, b"1\n", 0.0), (0.25, b"x" * 39 + b"\n" + b"x" * 59 + b"\n", 0.125), (0.5, b"2\n3\n", 0.0)],
        "application/jsonl",
    )
    assert server.value("chunks_total") == 5
    assert server.buckets("chunk_size_bytes") == {64.0: 5}
    assert server.value("chunk_size_bytes_sum") == 1 + 98 + 2
    assert server.value("chunk_interval_seconds_sum") == 0.875
    assert server.value("chunk_interval_seconds_count") == 4
    assert server.buckets("chunk_interval_seconds")[0.0001] == 2


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
def test_an_event_that_begins_in_another_message_has_the_bytes_of_both(server, beginning):
    rest = b"\r\n" if beginning.endswith(b"\r") else b"data: 3\n\n"
    rest = b"\n" + rest if beginning.endswith((b"1", b"2")) else rest
    for _ in range(2):
        server.bodies(beginning, rest, b"data: 4\n\n", b": ping\n\n")
    assert server.value("chunks_total") == 4
    assert server.value("heartbeats_total") == 2
    assert server.value("chunk_size_bytes_sum") == 2 * (len(beginning + rest) - 2 + 7)


@pytest.mark.parametrize("idle", [b"retry: 1\n\n", b": ping\n\n", b"id: 7\n\n", b"\n", b": a\r\n\r\n"])
def test_blocks_that_are_not_events_add_to_no_chunk(server, idle):
    server.bodies(b"data: 1\n\n", idle, idle, b"data: 2\n\n", idle)
    assert server.value("chunks_total") == 2
    assert server.value("heartbeats_total") == (3 if idle.startswith(b":") else 0)
    assert server.value("chunk_size_bytes_sum") == 14
    assert server.value("body_bytes_total") == 18 + 3 * len(idle)


@pytest.mark.parametrize("idle", [b"retry: 1\n\n", b"id: 7\n\n", b": ping\n\n", b"data: cut"])
def test_the_bytes_of_a_stream_without_a_chunk_are_counted(server, idle):
    server.bodies(idle)
    assert server.value("body_bytes_total") == len(idle)
    assert server.value("chunks_total") == server.value("time_to_first_chunk_seconds_count") == 0
    assert server.value("finished_total", outcome="completed") == 1


def test_a_blank_line_is_a_heartbeat_each_time(server):
    server.bodies(b"1\n", b"\n", b" \n", b"2", b"\n", b"\n", b"3", media_type="application/x-ndjson")
    assert server.value("chunks_total") == 3
    assert server.value("heartbeats_total") == 3
    assert server.value("chunk_size_bytes_sum") == 2
    assert server.value("body_bytes_total") == 9


@pytest.mark.parametrize(
    "boundary", ["boundary=frame", 'boundary="frame"', "Boundary=frame", "BOUNDARY=frame; charset=x"]
)
def test_the_boundary_is_found_in_any_spelling(server, boundary):
    parts = b"--frame\r\n\r\none\r\n--frame\r\n\r\ntwo\r\n--frame--\r\n"
    server.bodies(parts, media_type=f"multipart/mixed; {boundary}")
    assert server.value("chunks_total", protocol="multipart") == 2


@pytest.mark.parametrize("kind", ["mixed", "x-mixed-replace", "byteranges", "Related"])
def test_a_multipart_of_any_kind_is_a_stream_of_parts_even_in_one_message(server, kind):
    part = b"--frame\r\n\r\none\r\n"

    async def app(scope, receive, send):
        fields = [(b"content-type", f"Multipart/{kind}; boundary=frame".encode())]
        await send({"type": "http.response.start", "status": 206, "headers": fields})
        await send({"type": "http.response.body", "body": part + part + b"--frame--\r\n"})

    server.run(app)
    assert server.value("started_total", protocol="multipart") == 1
    assert server.value("chunks_total", protocol="multipart") == 2


@pytest.mark.parametrize("boundary", ["a,b", "a;b", "a b", "a:b", "a=b", "it's"])
def test_a_quoted_boundary_may_contain_separators(server, boundary):
    part = f"--{boundary}\r\n\r\none\r\n".encode()
    server.bodies(part, part, f"--{boundary}--\r\n".encode(), media_type=f'multipart/mixed; boundary="{boundary}"')
    assert server.value("chunks_total", protocol="multipart") == 2


def test_each_outcome_has_its_own_count_and_durations(server):
    async def fails(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        server.clock.advance(8.0)
        raise ValueError("broken")

    for seconds in (1.0, 2.0):
        server.bodies(b"data: 1\n\n", start_s=seconds)
    with pytest.raises(ValueError, match="broken"):
        server.run(fails)
    figures = ("finished_total", "duration_seconds_count", "duration_seconds_sum")
    assert [server.value(name, outcome="completed", **SSE) for name in figures] == [2, 2, 3.0]
    assert [server.value(name, outcome="error", **SSE) for name in figures] == [1, 1, 8.0]


def answer(status, seconds=0.0, clock=None, body=b"whole"):
    async def app(scope, receive, send):
        clock.advance(seconds)
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body})

    return app


def test_requests_are_counted_by_route_method_and_status(server):
    requests = [("/a", "GET", 200), ("/b", "GET", 200), ("/a", "POST", 200), ("/a", "GET", 404), ("/a", "BREW", 200)]
    for seconds, (path, method, status) in zip((1.0, 2.0, 4.0, 8.0, 16.0), requests, strict=True):
        for _ in range(2):
            server.run(answer(status, seconds, server.clock), method, path)
    name = "http_server_request_duration_seconds"
    for seconds, (path, method, status) in zip((1.0, 2.0, 4.0, 8.0, 16.0), requests, strict=True):
        labels = {"route": path, "method": "other" if method == "BREW" else method, "status_code": str(status)}
        assert server.value(f"{name}_count", **labels) == 2
        assert server.value(f"{name}_sum", **labels) == 2 * seconds
    assert server.value("started_total") == 0


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"])
def test_a_known_method_has_its_own_label(server, method):
    server.run(answer(200, clock=server.clock), method)
    assert server.value("http_server_request_duration_seconds_count", method=method) == 1


LENGTH = [(b"content-length", b"18")]


def test_a_stream_of_known_length_ends_with_its_last_byte(server):
    steps = [(1.0, b"data: 1\n\n", 2.0), (4.0, b"data: 2\n\n", 8.0)]
    server.stream(steps, headers=LENGTH, end=(16.0, 32.0))
    assert server.value("duration_seconds_sum", outcome="completed") == 15.0
    assert server.value("finished_total") == server.value("finished_total", outcome="completed") == 1
    assert server.value("chunks_total") == 2


@pytest.mark.parametrize("sizes", [(17, 1), (1, 17), (16, 1, 1), (9, 0, 9)], ids=str)
def test_the_last_byte_ends_a_stream_of_known_length_however_the_app_splits_it(server, sizes):
    steps = [(1.0, b"x" * size, 0.0) for size in sizes]
    server.stream(steps, "text/csv", headers=LENGTH, end=(64.0, 0.0))
    assert server.value("duration_seconds_sum", outcome="completed") == len(sizes)
    assert server.value("body_bytes_total") == 18


def test_bytes_beyond_the_known_length_are_counted_to_the_end_which_is_an_error(server):
    """The server may refuse such bytes; the middleware passes them on."""
    server.stream([(1.0, b"x" * size, 0.0) for size in (10, 10, 2)], "text/csv", headers=LENGTH, end=(64.0, 0.0))
    assert server.value("duration_seconds_sum", outcome="error") == 67.0
    assert server.value("body_bytes_total") == 22


@pytest.mark.parametrize("headers", [(), LENGTH], ids=["without length", "with length"])
def test_chunks_without_a_pause_count_the_same_with_and_without_a_length(server, headers):
    server.stream([(SOON_S, b"data: 1\n\n", 0.0), (SOON_S, b"data: 2\n\n", SOON_S)], headers=headers)
    assert server.value("chunk_interval_seconds_sum") == 2 * SOON_S
    assert server.value("chunk_send_seconds_sum") == SOON_S
    assert server.value("time_to_first_chunk_seconds_sum") == SOON_S
    assert server.value("chunk_size_bytes_sum") == 14


@pytest.mark.parametrize("headers", [(), LENGTH], ids=["without length", "with length"])
@pytest.mark.parametrize(
    ("allowed", "pause_s", "turn"), [({"yield_after_s": 0.125}, 0.0625, 3), ({}, 0.03125, 4)], ids=["given", "0.1 s"]
)
def test_a_stream_yields_to_the_loop_only_after_the_time_that_is_set(server, headers, allowed, pause_s, turn):
    sent, turns = [], []

    async def other():
        turns.append(len(sent))

    async def app(scope, receive, send):
        task = asyncio.create_task(other())
        fields = [(b"content-type", b"text/plain"), *headers]
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        for _ in range(5):
            sent.append(1)
            server.clock.advance(pause_s)
            await send({"type": "http.response.body", "body": b"123", "more_body": True})
        await send({"type": "http.response.body", "body": b"456"})
        await task

    server.run(app, **allowed)
    assert turns == [turn]
