"""Bodies that repeat are not parsed again, and are counted as if they were."""

import asyncio
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from streamgauge.asgi import StreamMetrics
from streamgauge.asgi.chunk_counting import EventCounter, LineCounter
from streamgauge.asgi.instruments import Instruments
from streamgauge.asgi.known_bodies import KnownBodies
from streamgauge.asgi.series import StreamSeries
from streamgauge.asgi.stream import Stream

SSE = [
    b"data: 1\n\n",
    b"id: 1\ndata: 2\n\n",
    b": ping\n\n",
    b": a\n\ndata: b\n\n",
    b"data: ha",
    b"lf\n\n",
    b"\n",
    b"\r\n",
]
SSE += [b"retry: 1\n\n", b"data: " + b"x" * 70 + b"\n\n", b"data: " + b"x" * 2000 + b"\n\n", b"data: 1\n\ndata: 2\n\n"]
LINES = [b'{"a":1}\n', b"\n", b" \n", b'{"a"', b":1}\n", b"1\n2\n", b"x" * 1500 + b"\n"]


def counted(media_type, bodies, mutable):
    """Return the registry's values after a stream of these bodies."""

    async def app(scope, receive, send):
        headers = [(b"content-type", media_type)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for body in bodies:
            sent = bytearray(body) if mutable else body
            await send({"type": "http.response.body", "body": sent, "more_body": True})
        await send({"type": "http.response.body"})

    async def receive():
        await asyncio.Event().wait()

    async def send(message):
        pass

    registry = CollectorRegistry()
    scope = {"type": "http", "method": "GET", "path": "/"}
    asyncio.run(StreamMetrics(app, registry=registry)(scope, receive, send))
    return {
        sample.name.removeprefix("stream_server_"): sample.value
        for family in registry.collect()
        for sample in family.samples
        if "le" not in sample.labels
    }


@pytest.mark.parametrize(
    ("media_type", "counter", "pool"),
    [(b"text/event-stream", EventCounter, SSE), (b"application/x-ndjson", LineCounter, LINES)],
    ids=["sse", "ndjson"],
)
@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_bodies_in_any_order_count_as_if_each_were_parsed(media_type, counter, pool, data):
    bodies = data.draw(st.lists(st.sampled_from(pool), min_size=1, max_size=60))
    reader = counter()
    chunks, heartbeats = sum(map(reader.count, bodies)) + reader.close(), reader.heartbeats()
    for mutable in (False, True):
        found = counted(media_type, bodies, mutable)
        assert found["chunks_total"] == chunks
        assert found["heartbeats_total"] == heartbeats
        assert found["body_bytes_total"] == sum(map(len, bodies))


#: Seconds that add up without rounding.
PAUSES = [2**-14, 2**-13, 2**-12, 2**-2]


@given(st.lists(st.tuples(st.sampled_from(PAUSES), st.sampled_from([60, 66, 67, 300])), max_size=40))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_quick_chunks_get_the_same_buckets_as_others(sends):
    registries = CollectorRegistry(), CollectorRegistry()
    quick, plain = (StreamSeries(Instruments.of(registry), "/s", "sse") for registry in registries)
    stream, now_s = Stream(quick, EventCounter(), 0.0, 200), 0.0
    for number, (pause_s, size_bytes) in enumerate(sends):
        now_s += pause_s
        body = b"data: " + b"x" * (size_bytes - 8) + b"\n\n"
        stream.count_body(body, size_bytes, now_s - pause_s / 2, now_s)
        plain.count_send(pause_s if number else None, pause_s / 2, size_bytes)
    quick.flush()
    plain.flush()
    names = ("chunk_interval_seconds_bucket", "chunk_send_seconds_bucket", "chunk_size_bytes_bucket", "chunks_total")
    one, other = (
        [s for family in registry.collect() for s in family.samples if s.name.removeprefix("stream_server_") in names]
        for registry in registries
    )
    assert one == other


def test_adding_pauses_while_bodies_do_not_repeat():
    known_bodies = KnownBodies()
    fresh = [b"data: %d\n\n" % number for number in range(3 * KnownBodies.MAX_BODIES)]
    for number, body in enumerate(fresh[: KnownBodies.MAX_BODIES + 1], 1):
        assert not known_bodies.paused
        known_bodies.add(body, number)
    assert known_bodies.paused
    assert known_bodies.find(fresh[-1]) is None
    known_bodies.review(KnownBodies.PAUSE_CHUNKS - 1)
    assert known_bodies.paused
    known_bodies.review(1)
    assert not known_bodies.paused
    known_bodies.add(fresh[0], 1)
    assert known_bodies.find(fresh[0]) == len(fresh[0])


@pytest.mark.parametrize(("size_bytes", "kept"), [(1024, True), (1025, False)])
def test_large_bodies_are_not_kept(server, size_bytes, kept):
    body = b"data: " + b"x" * (size_bytes - 8) + b"\n\n"

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        for more_body in (True, True, False):
            await send({"type": "http.response.body", "body": body, "more_body": more_body})

    measured, references = server.measured(app), sys.getrefcount(body)
    server.run(measured)
    server.wire.clear()
    assert (sys.getrefcount(body) > references) is kept


@pytest.mark.parametrize(
    ("media_type", "body", "beginning", "framing"),
    [("text/event-stream", b"data: 1\n\n", b"data: ha", 2), ("application/x-ndjson", b"{}\n", b"{", 1)],
)
def test_a_known_body_that_completes_a_chunk_is_not_another_chunk(server, media_type, body, beginning, framing):
    server.bodies(body, body, beginning, body, body, media_type=media_type)
    assert server.value("chunks_total") == 4
    assert server.value("chunk_size_bytes_sum") == 4 * (len(body) - framing) + len(beginning)
    assert server.buckets("chunk_size_bytes") == {64.0: 4}


def test_all_bodies_are_dropped_when_the_maximum_is_reached():
    known_bodies = KnownBodies()
    bodies = [b"%d" % number for number in range(KnownBodies.MAX_BODIES + 1)]
    for body in bodies:
        known_bodies.add(body, 3 * len(bodies))
    assert [known_bodies.find(body) for body in (bodies[0], bodies[-1])] == [None, 3]
