"""The recorder: its batched counts, and when they reach the registry."""

import asyncio
import gc
import threading
import time
import weakref

import pytest
from prometheus_client import CollectorRegistry, Histogram

from streamgauge.asgi import StreamMetrics
from streamgauge.asgi.app_marks import OUTCOMES
from streamgauge.asgi.chunk_counting import MessageCounter
from streamgauge.asgi.instruments import Instruments, add_to_histogram
from streamgauge.asgi.recorder import Recorder
from streamgauge.asgi.series import StreamSeries
from streamgauge.asgi.stream import Stream
from streamgauge.catalog import CATALOG, SERVER

CHUNKS = {"route": "/s", "protocol": "sse"}


def chunks(registry):
    """Return the chunks in the registry, without a flush."""
    family = registry._names_to_collectors["stream_server_chunks_total"]
    return sum(sample.value for metric in family.collect() for sample in metric.samples)


async def until(condition):
    deadline_s = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline_s, "the condition did not hold before the deadline"
        await asyncio.sleep(0.01)


def test_prometheus_client_has_the_private_names_that_are_used():
    child = Histogram("h", "h", ["a"], registry=CollectorRegistry(), buckets=(1, 2)).labels("x")
    assert len(child._buckets) == 3
    assert all(callable(bucket.inc) for bucket in (*child._buckets, child._sum))


def test_adding_a_batch_is_the_same_as_observing_each():
    registry = CollectorRegistry()
    batch = Histogram("batch", "h", registry=registry, buckets=(1, 2))
    single = Histogram("single", "h", registry=registry, buckets=(1, 2))
    for value in (0.5, 1.0, 1.5, 2.0, 7.0):
        single.observe(value)
    add_to_histogram(batch, [2, 2, 1], 12.0)
    values = [[s.value for s in each._samples() if s.name != "_created"] for each in (batch, single)]
    assert values == [[2, 4, 5, 5, 12.0]] * 2


def test_the_families_equal_the_catalog():
    registry = CollectorRegistry()
    Instruments.of(registry)
    families = {f.name + "_total" * (f.type == "counter"): f for f in registry.collect()}
    assert set(families) == {metric.name for metric in SERVER}
    assert all(family.documentation == CATALOG[name].help for name, family in families.items())
    assert all(family.type == CATALOG[name].type for name, family in families.items())


def test_every_outcome_starts_at_zero():
    registry = CollectorRegistry()
    Stream(StreamSeries(Instruments.of(registry), "/s", "sse"), MessageCounter(), 0.0, 503)
    labels = [{**CHUNKS, "outcome": each, "status_code": "503"} for each in OUTCOMES]
    ends = [registry.get_sample_value("stream_server_finished_total", each) for each in labels]
    assert ends == [0] * len(OUTCOMES)


def test_there_are_no_created_series():
    registry = CollectorRegistry()
    StreamSeries(Instruments.of(registry), "/s", "sse").count_end("completed", "200", 1.0)
    assert not [s.name for f in registry.collect() for s in f.samples if s.name.endswith("_created")]


@pytest.mark.parametrize("value_s", [0.0, 0.0001, 0.00010001, 0.05, 0.0500001, 9.99, 10.0, 11.0, 4000.0])
def test_every_interval_and_send_falls_into_the_bucket_that_observe_would_choose(value_s):
    registry = CollectorRegistry()
    series = StreamSeries(Instruments.of(registry), "/s", "raw")
    series.count_send(value_s, value_s, 100)
    series.flush()
    reference = Histogram("ref", "r", registry=CollectorRegistry(), buckets=CATALOG["event_loop_lag_seconds"].buckets)
    reference.observe(value_s)
    expected = [s.value for s in reference._samples() if s.name == "_bucket"]
    for name in ("chunk_interval", "chunk_send"):
        found = [
            s.value for f in registry.collect() for s in f.samples if s.name == f"stream_server_{name}_seconds_bucket"
        ]
        assert found == expected


@pytest.mark.parametrize("size_bytes", [1, 64, 65, 256, 257, 65536, 1 << 20, (1 << 20) + 1])
def test_every_size_falls_into_the_bucket_that_observe_would_choose(size_bytes):
    registry = CollectorRegistry()
    series = StreamSeries(Instruments.of(registry), "/s", "sse")
    series.count_send(None, 0, size_bytes + len(b"\n\n"))
    series.flush()
    reference = Histogram(
        "ref", "r", registry=CollectorRegistry(), buckets=CATALOG["stream_server_chunk_size_bytes"].buckets
    )
    reference.observe(size_bytes)
    found = [
        s.value for f in registry.collect() for s in f.samples if s.name == "stream_server_chunk_size_bytes_bucket"
    ]
    assert found == [s.value for s in reference._samples() if s.name == "_bucket"]


def test_the_timer_flushes():
    async def scenario():
        registry = CollectorRegistry()
        recorder = Recorder(Instruments.of(registry))
        recorder.series("/s", "sse").count_send(None, 0, 100)
        assert chunks(registry) == 0
        await until(lambda: chunks(registry) == 1)
        recorder.stop()

    asyncio.run(scenario())


def test_stopping_flushes():
    async def scenario():
        registry = CollectorRegistry()
        recorder = Recorder(Instruments.of(registry))
        recorder.series("/s", "sse").count_send(None, 0, 100)
        recorder.stop()
        assert chunks(registry) == 1

    asyncio.run(scenario())


def test_a_scrape_from_another_thread_flushes():
    async def scenario():
        registry = CollectorRegistry()
        recorder = Recorder(Instruments.of(registry))
        recorder.series("/s", "sse").count_send(None, 0, 100)
        read = registry.get_sample_value
        assert await asyncio.to_thread(read, "stream_server_chunks_total", CHUNKS) == 1
        recorder.stop()

    asyncio.run(scenario())


def test_a_scrape_on_the_loop_itself_flushes_and_does_not_wait_for_it():
    async def scenario():
        registry = CollectorRegistry()
        recorder = Recorder(Instruments.of(registry))
        recorder.series("/s", "sse").count_send(None, 0, 100)
        assert registry.get_sample_value("stream_server_chunks_total", CHUNKS) == 1
        recorder.stop()

    asyncio.run(scenario())


def test_a_scrape_after_the_loops_end_is_exact():
    registry = CollectorRegistry()
    instruments = Instruments.of(registry)
    kept = []

    async def scenario():
        kept.append(Recorder(instruments))
        kept[0].series("/s", "sse").count_send(None, 0, 100)

    thread = threading.Thread(target=lambda: asyncio.run(scenario()))
    thread.start()
    thread.join()
    assert registry.get_sample_value("stream_server_chunks_total", CHUNKS) == 1


def test_a_scrape_of_a_blocked_loop_shows_the_last_flush(monkeypatch):
    monkeypatch.setattr(Instruments, "SCRAPE_TIMEOUT_S", 0.05)
    registry = CollectorRegistry()
    blocked, scraped = threading.Event(), threading.Event()

    async def scenario():
        recorder = Recorder(Instruments.of(registry))
        recorder.series("/s", "sse").count_send(None, 0, 100)
        recorder.flush()
        recorder.series("/s", "sse").count_send(1e-9, 0, 100)
        blocked.set()
        scraped.wait(60)
        recorder.stop()

    thread = threading.Thread(target=lambda: asyncio.run(scenario()))
    thread.start()
    blocked.wait(60)
    assert registry.get_sample_value("stream_server_chunks_total", CHUNKS) == 1
    scraped.set()
    thread.join()
    assert registry.get_sample_value("stream_server_chunks_total", CHUNKS) == 2


def test_a_blocked_loop_shows_in_its_lag():
    async def scenario():
        registry = CollectorRegistry()
        recorder = Recorder(Instruments.of(registry))
        time.sleep(0.3)  # noqa: ASYNC251 - to block the loop
        await until(lambda: registry.get_sample_value("event_loop_lag_seconds_count"))
        assert registry.get_sample_value("event_loop_lag_seconds_sum") >= 0.2
        recorder.stop()

    asyncio.run(scenario())


async def lifespan_app(scope, receive, send):
    for moment in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{moment}.complete"})


async def run_lifespan(measured, meanwhile=lambda: True):
    """Run one lifespan of an app; end it when ``meanwhile`` holds."""

    async def receive():
        return {}

    async def send(message):
        if message["type"] == "lifespan.startup.complete":
            await until(meanwhile)

    await measured({"type": "lifespan"}, receive, send)


def test_a_second_lifespan_on_a_loop_has_a_timer_too():
    registry = CollectorRegistry()
    measured = StreamMetrics(lifespan_app, registry=registry)

    def ticks():
        return registry.get_sample_value("event_loop_lag_seconds_count")

    async def scenario():
        await run_lifespan(measured)
        before = ticks()
        await run_lifespan(measured, lambda: ticks() > before)

    asyncio.run(scenario())


def test_a_recorder_is_dropped_with_its_loop_and_its_counts_stay():
    registry = CollectorRegistry()
    measured = StreamMetrics(lifespan_app, registry=registry)
    seen = []

    async def scenario():
        await run_lifespan(measured)
        recorder = measured._recorder()
        recorder.series("/s", "sse").count_send(None, 0, 100)
        seen.append(weakref.ref(recorder))

    asyncio.run(scenario())
    assert chunks(registry) == 0
    asyncio.run(scenario())
    gc.collect()
    assert [reference() is None for reference in seen] == [True, False]
    assert chunks(registry) == 1
    assert registry.get_sample_value("stream_server_chunks_total", CHUNKS) == 2


def test_apps_of_one_registry_share_its_instruments():
    registry = CollectorRegistry()
    assert Instruments.of(registry) is Instruments.of(registry)
    assert Instruments.of(CollectorRegistry()) is not Instruments.of(registry)
