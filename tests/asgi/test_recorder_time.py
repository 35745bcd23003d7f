"""The recorder's timer, exactly: on a loop whose clock jumps from timer to timer."""

import asyncio
import threading

import pytest

from streamgauge.asgi import Instruments
from streamgauge.asgi.recorder import Recorder

TICK_S, FLUSH_S = 0.05, 0.25
ROUTE = {"route": "/s", "protocol": "sse"}
LAG = "event_loop_lag_seconds"


@pytest.fixture
def record(server):
    """Run a coroutine function with a recorder, and stop the recorder afterwards."""

    async def scenario(act, instruments):
        recorder = Recorder(instruments)
        await act(recorder)
        recorder.stop()

    return lambda act: server.clock.run(scenario(act, Instruments.of(server.registry)))


def flushed(server):
    """Return the chunks in the registry, without asking the recorder."""
    family = server.registry._names_to_collectors["stream_server_chunks_total"]
    return sum(sample.value for metric in family.collect() for sample in metric.samples)


def test_chunks_are_flushed_every_250_ms_and_not_before(record, server):
    async def act(recorder):
        seen = []
        for _ in range(3):
            recorder.series("/s", "sse").count_send(None, 0, 100)
            await asyncio.sleep(FLUSH_S - TICK_S / 2)
            seen.append(flushed(server))
            await asyncio.sleep(TICK_S / 2)
            seen.append(flushed(server))
        assert seen == [0, 1, 1, 2, 2, 3]

    record(act)


def test_a_loop_with_nothing_to_do_has_no_lag(record, server):
    async def act(recorder):
        await asyncio.sleep(20.5 * TICK_S)
        assert server.value(f"{LAG}_count") == 20
        assert server.buckets(LAG) == {0.0001: 20}
        assert server.value(f"{LAG}_sum") == pytest.approx(0.0, abs=1e-9)

    record(act)


def test_the_lag_is_how_late_the_timer_ran(record, server):
    """The timer is due 50 ms after it last ran."""

    async def act(recorder):
        for late_s, ticks in ((0.19, 7), (0.7, 1), (0.004, 10), (9.0, 1), (12.0, 3)):
            await asyncio.sleep(0.5 * TICK_S)
            server.clock.advance(0.5 * TICK_S + late_s)  # something else blocks the loop
            await asyncio.sleep((ticks + 0.5) * TICK_S)
            for _ in range(3):  # more flushes change nothing
                recorder.flush()
                server.value(f"{LAG}_sum")
            await asyncio.sleep(0.5 * TICK_S)
        assert server.value(f"{LAG}_sum") == pytest.approx(0.19 + 0.7 + 0.004 + 9.0 + 12.0, abs=1e-6)
        late = {bound: count for bound, count in server.buckets(LAG).items() if bound > 0.0001}
        assert late == {0.005: 1, 0.2: 1, 0.75: 1, 10.0: 1, float("inf"): 1}

    record(act)


def test_a_stopped_recorder_does_not_tick_and_its_pause_is_not_lag(record, server):
    async def act(recorder):
        await asyncio.sleep(2.5 * TICK_S)
        recorder.series("/s", "sse").count_send(None, 0, 100)
        recorder.stop()
        assert flushed(server) == 1
        await asyncio.sleep(64.0)
        recorder.stop()
        assert server.value(f"{LAG}_count") == 2
        recorder.start()
        recorder.start()
        await asyncio.sleep(2.5 * TICK_S)
        assert server.value(f"{LAG}_count") == 4
        assert server.value(f"{LAG}_sum") == pytest.approx(0.0, abs=1e-9)

    record(act)


def test_series_requests_and_rejections_are_counted_by_every_label(record, server):
    async def act(recorder):
        for at, labels in enumerate((("/s", "sse"), ("/t", "sse"), ("/s", "raw"))):
            for _ in range(at + 1):
                recorder.series(*labels).count_send(None, 0, 100)
        for at, labels in enumerate((("/s", "GET", "200"), ("/t", "GET", "200"), ("/s", "PUT", "200"))):
            for seconds in range(at + 1):
                recorder.count_request(*labels, float(seconds))
        for at, labels in enumerate((("/s", "sse", "full"), ("/t", "sse", "full"), ("/s", "sse", "auth"))):
            for _ in range(at + 1):
                recorder.count_rejected(*labels)

    record(act)
    request = "http_server_request_duration_seconds"
    assert [server.value("chunks_total", route=r, protocol=p) for r, p in (("/s", "sse"), ("/t", "sse"))] == [1, 2]
    assert server.value("chunks_total", route="/s", protocol="raw") == 3
    assert server.value(f"{request}_count", route="/t", method="GET", status_code="200") == 2
    assert server.value(f"{request}_sum", route="/s", method="PUT", status_code="200") == 0 + 1 + 2
    assert server.value("rejected_total", route="/s", protocol="sse", reason="full") == 1
    assert server.value("rejected_total", route="/t", protocol="sse", reason="full") == 2
    assert server.value("rejected_total", route="/s", protocol="sse", reason="auth") == 3


def test_a_scrape_waits_for_the_counts_of_every_running_loop(server):
    """Scrape from another thread than those of the loops."""
    instruments, ready, scrape = Instruments.of(server.registry), threading.Barrier(3), threading.Event()

    async def work():
        recorder = Recorder(instruments)
        recorder.series("/s", "sse").count_send(None, 0, 100)
        ready.wait(60)
        await asyncio.to_thread(scrape.wait, 60)
        recorder.stop()

    threads = [threading.Thread(target=asyncio.run, args=(work(),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    ready.wait(60)
    seen = server.value("chunks_total")
    scrape.set()
    for thread in threads:
        thread.join(60)
    assert seen == 2


def test_a_stream_yields_by_how_long_it_has_delayed_the_timer(server):
    """The time since the stream's start does not matter."""
    turns, sent = [], []

    async def other():
        turns.append(len(sent))

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await asyncio.sleep(8.02)  # the timer ran 20 ms ago
        task = asyncio.create_task(other())
        for _ in range(5):
            sent.append(1)
            server.clock.advance(0.0625)
            await send({"type": "http.response.body", "body": b"123", "more_body": True})
        await task

    server.run(app, yield_after_s=0.25)
    assert turns == [4]
