"""Admission control after thousands of clients, however their streams ended: none of them is known any more."""

import asyncio
import math

import pytest

from streamgauge.asgi.app_marks import AppMarks
from target_app.guard.admission import AdmissionControl
from target_app.guard.middleware import Guard
from target_app.guard.rate import TokenBuckets
from target_app.settings import Settings
from target_app.shutdown import Shutdown
from tests.held import left_behind

TIMES, AT_ONCE = 4, 10


async def completed(scope, receive, send):
    await asyncio.sleep(0)


async def failed(scope, receive, send):
    raise ValueError("broken")


async def cancelled(scope, receive, send):
    asyncio.current_task().cancel()
    await asyncio.sleep(60)


async def cut(scope, receive, send):
    """One that has lasted too long: the admission control aborts it."""
    scope["admission"].abort_all("deadline")
    await asyncio.sleep(60)


async def send(message):
    """Take whatever comes."""


@pytest.fixture
def runner():
    with asyncio.Runner() as runner:
        yield runner


@pytest.mark.parametrize("app", [completed, failed, cancelled, cut])
def test_nothing_is_left_of_clients(app, runner):
    settings = Settings(max_streams=AT_ONCE, max_streams_per_client=1, starts_per_s=0)
    admission = AdmissionControl(settings)
    guard, numbers = Guard(app, admission, settings, ()), iter(range(10**6))

    async def client():
        scope = {
            "type": "http",
            "path": "/",
            "headers": [],
            "client": (f"host {next(numbers)}", 1),
            "admission": admission,
        }
        AppMarks(lambda: "/", lambda *_: None).attach(scope)
        await guard(scope, None, send)

    async def some():
        await asyncio.gather(*(asyncio.create_task(client()) for _ in range(AT_ONCE)), return_exceptions=True)
        await asyncio.sleep(0)
        timers = [each for each in asyncio.get_running_loop()._scheduled if not each.cancelled()]
        assert (timers, admission.streams.total, len(admission.running), len(admission._by_client)) == ([], 0, 0, 0)
        asyncio.get_running_loop()._scheduled.clear()  # the cancelled ones, which leave when they are due

    assert left_behind(lambda: runner.run(some()), TIMES, AT_ONCE) == {}


def test_nothing_is_left_of_streams_that_waited_to_be_closed(runner):
    shutdown = Shutdown()

    async def some():
        sleepers = [asyncio.create_task(shutdown.sleep(60)) for _ in range(AT_ONCE)]
        await asyncio.sleep(0)
        for each in sleepers:
            each.cancel()
        await asyncio.wait(sleepers)
        asyncio.get_running_loop()._scheduled.clear()

    assert left_behind(lambda: runner.run(some()), TIMES, AT_ONCE) == {}


def test_the_rate_of_clients_is_kept_for_the_last_few_alone():
    """And each gets its tokens back: no sooner, no later."""
    now_s = [0.0]
    buckets, numbers = TokenBuckets(2.0, 2, clients=10, clock=lambda: now_s[0]), iter(range(10**6))
    assert left_behind(lambda: [buckets.take(f"client {next(numbers)}") for _ in range(20)], 2, 20) == {}
    assert [buckets.take("x") for _ in range(3)] == [0.0, 0.0, 0.5]
    now_s[0] = 0.499
    assert 0 < buckets.take("x") < 0.002
    now_s[0] = 0.5
    assert math.isclose(buckets.take("x"), 0.0)
    assert buckets.take("x") == 0.5
