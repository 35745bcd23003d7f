"""A shutdown request wakes every waiting stream, whatever thread or signal handler makes it."""

import asyncio
import os
import signal
import threading
import time

import pytest

from target_app.shutdown import Shutdown

#: Longer than any test waits.
LONG_S = 3600.0


def slept_s(shutdown, wait_s, *others):
    """How long a sleep lasted, in which ``others`` were called."""

    async def scenario():
        for other in others:
            asyncio.get_running_loop().call_later(0.02, other)
        began_s = time.monotonic()
        await asyncio.wait_for(shutdown.sleep(wait_s), 60)
        return time.monotonic() - began_s

    return asyncio.run(scenario())


def test_a_sleep_lasts_as_long_as_it_should():
    assert slept_s(Shutdown(), 0.05) >= 0.049


def close_in_a_thread(shutdown):
    thread = threading.Thread(target=shutdown.request, args=["shutdown"])
    thread.start()
    thread.join()


def close_in_a_signal_handler(shutdown):
    before = signal.signal(signal.SIGUSR1, lambda *_: shutdown.request("shutdown"))
    os.kill(os.getpid(), signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize(
    "close", [lambda shutdown: shutdown.request("shutdown"), close_in_a_thread, close_in_a_signal_handler]
)
def test_a_sleep_ends_with_the_request_whatever_makes_it(close):
    shutdown = Shutdown()
    assert slept_s(shutdown, LONG_S, lambda: close(shutdown)) < LONG_S
    assert shutdown.reason == "shutdown"


def test_nobody_sleeps_once_it_was_uttered():
    shutdown = Shutdown()
    shutdown.request("shutdown")
    assert slept_s(shutdown, LONG_S) < LONG_S


def test_all_who_sleep_are_woken():
    shutdown = Shutdown()

    async def scenario():
        sleepers = [asyncio.create_task(shutdown.sleep(LONG_S)) for _ in range(100)]
        await asyncio.sleep(0)
        shutdown.request("shutdown")
        await asyncio.wait_for(asyncio.gather(*sleepers), 60)

    asyncio.run(scenario())


def test_the_first_reason_stands():
    shutdown = Shutdown()
    shutdown.request("shutdown")
    shutdown.request("again")
    assert shutdown.reason == "shutdown"


def test_a_sleep_leaves_nothing_behind_even_if_cancelled():
    shutdown = Shutdown()

    async def scenario():
        await shutdown.sleep(0)
        sleeper = asyncio.create_task(shutdown.sleep(LONG_S))
        await asyncio.sleep(0)
        sleeper.cancel()
        await asyncio.gather(sleeper, return_exceptions=True)

    asyncio.run(scenario())
    assert not shutdown._wakers


def test_a_waker_is_called_at_once_where_it_is_too_late():
    shutdown, calls = Shutdown(), []
    shutdown.request("shutdown")
    with shutdown.notifying(lambda: calls.append(1)):
        assert calls == [1]
