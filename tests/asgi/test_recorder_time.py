"""What the recorder does by its timer, to the moment: on a loop whose clock moves by itself from timer to timer."""

import asyncio
import threading

import pytest

from streamgauge.asgi import Instruments
from streamgauge.asgi.recorder import Recorder

TICK_S, FLUSH_S = 0.05, 0.25
ROUTE = {"route": "/s", "protocol": "sse"}
LAG = "event_loop_lag_seconds"


@pytest.fixture
def play(stage):
    """Run what is given a recorder, and stop that."""

    async def scenario(act, instruments):
        recorder = Recorder(instruments)
        await act(recorder)
        recorder.stop()

    return lambda act: stage.clock.run(scenario(act, Instruments.of(stage.registry)))


def flushed(stage):
    """The chunks that the registry knows of without asking the recorder."""
    family = stage.registry._names_to_collectors["stream_server_chunks_total"]
    return sum(sample.value for metric in family.collect() for sample in metric.samples)


def test_chunks_come_into_the_registry_every_250_ms_and_not_before(play, stage):
    async def act(recorder):
        seen = []
        for _ in range(3):
            recorder.series("/s", "sse").sent(None, 0, 100)
            await asyncio.sleep(FLUSH_S - TICK_S / 2)
            seen.append(flushed(stage))
            await asyncio.sleep(TICK_S / 2)
            seen.append(flushed(stage))
        assert seen == [0, 1, 1, 2, 2, 3]

    play(act)


def test_a_loop_with_nothing_to_do_has_no_lag(play, stage):
    async def act(recorder):
        await asyncio.sleep(20.5 * TICK_S)
        assert stage.value(f"{LAG}_count") == 20
        assert stage.buckets(LAG) == {0.0001: 20}
        assert stage.value(f"{LAG}_sum") == pytest.approx(0.0, abs=1e-9)

    play(act)


def test_the_lag_is_how_late_the_timer_ran(play, stage):
    """It is due every 50 ms after it ran last."""

    async def act(recorder):
        for late_s, ticks in ((0.19, 7), (0.7, 1), (0.004, 10), (9.0, 1), (12.0, 3)):
            await asyncio.sleep(0.5 * TICK_S)
            stage.clock.advance(0.5 * TICK_S + late_s)  # something else has the loop
            await asyncio.sleep((ticks + 0.5) * TICK_S)
            for _ in range(3):  # however often it is flushed
                recorder.flush()
                stage.value(f"{LAG}_sum")
            await asyncio.sleep(0.5 * TICK_S)
        assert stage.value(f"{LAG}_sum") == pytest.approx(0.19 + 0.7 + 0.004 + 9.0 + 12.0, abs=1e-6)
        late = {bound: count for bound, count in stage.buckets(LAG).items() if bound > 0.0001}
        assert late == {0.005: 1, 0.2: 1, 0.75: 1, 10.0: 1, float("inf"): 1}

    play(act)


def test_a_stopped_recorder_ticks_no_more_and_its_pause_is_no_lag(play, stage):
    async def act(recorder):
        await asyncio.sleep(2.5 * TICK_S)
        recorder.series("/s", "sse").sent(None, 0, 100)
        recorder.stop()
        assert flushed(stage) == 1
        await asyncio.sleep(64.0)
        recorder.stop()
        assert stage.value(f"{LAG}_count") == 2
        recorder.start()
        recorder.start()
        await asyncio.sleep(2.5 * TICK_S)
        assert stage.value(f"{LAG}_count") == 4
        assert stage.value(f"{LAG}_sum") == pytest.approx(0.0, abs=1e-9)

    play(act)


def test_series_requests_and_refusals_are_told_apart_by_every_label(play, stage):
    async def act(recorder):
        for at, labels in enumerate((("/s", "sse"), ("/t", "sse"), ("/s", "raw"))):
            for _ in range(at + 1):
                recorder.series(*labels).sent(None, 0, 100)
        for at, labels in enumerate((("/s", "GET", "200"), ("/t", "GET", "200"), ("/s", "PUT", "200"))):
            for seconds in range(at + 1):
                recorder.request(*labels, float(seconds))
        for at, labels in enumerate((("/s", "sse", "full"), ("/t", "sse", "full"), ("/s", "sse", "auth"))):
            for _ in range(at + 1):
                recorder.rejected(*labels)

    play(act)
    request = "http_server_request_duration_seconds"
    assert [stage.value("chunks_total", route=r, protocol=p) for r, p in (("/s", "sse"), ("/t", "sse"))] == [1, 2]
    assert stage.value("chunks_total", route="/s", protocol="raw") == 3
    assert stage.value(f"{request}_count", route="/t", method="GET", status_code="200") == 2
    assert stage.value(f"{request}_sum", route="/s", method="PUT", status_code="200") == 0 + 1 + 2
    assert stage.value("rejected_total", route="/s", protocol="sse", reason="full") == 1
    assert stage.value("rejected_total", route="/t", protocol="sse", reason="full") == 2
    assert stage.value("rejected_total", route="/s", protocol="sse", reason="auth") == 3


def test_each_scrape_of_a_loop_that_runs_waits_for_its_counts(stage):
    """Of every recorder in the registry, from another thread."""
    instruments, ready, scrape = Instruments.of(stage.registry), threading.Barrier(3), threading.Event()

    async def work():
        recorder = Recorder(instruments)
        recorder.series("/s", "sse").sent(None, 0, 100)
        ready.wait(60)
        await asyncio.to_thread(scrape.wait, 60)
        recorder.stop()

    threads = [threading.Thread(target=asyncio.run, args=(work(),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    ready.wait(60)
    seen = stage.value("chunks_total")
    scrape.set()
    for thread in threads:
        thread.join(60)
    assert seen == 2


def test_a_stream_gives_way_for_as_long_as_it_has_kept_the_timer_waiting(stage):
    """And not for as long as it lasts."""
    turns, sent = [], []

    async def other():
        turns.append(len(sent))

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await asyncio.sleep(8.02)  # the timer ran 20 ms ago
        task = asyncio.create_task(other())
        stage.send_s = 0.0625
        for _ in range(5):
            sent.append(1)
            await send({"type": "http.response.body", "body": b"123", "more_body": True})
        await task

    stage.run(app, give_way_s=0.25)
    assert turns == [4]
