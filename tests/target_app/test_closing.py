"""The wish that streams end reaches all who wait, wherever it comes from."""

import asyncio
import os
import signal
import threading
import time

import pytest

from target_app.shutdown import Closing

#: Longer than any test waits.
LONG_S = 3600.0


def slept_s(closing, wait_s, *others):
    """How long a sleep lasted, in which ``others`` were called."""

    async def scenario():
        for other in others:
            asyncio.get_running_loop().call_later(0.02, other)
        began_s = time.monotonic()
        await asyncio.wait_for(closing.sleep(wait_s), 60)
        return time.monotonic() - began_s

    return asyncio.run(scenario())


def test_a_sleep_lasts_as_long_as_it_should():
    assert slept_s(Closing(), 0.05) >= 0.049


def close_in_a_thread(closing):
    thread = threading.Thread(target=closing.close, args=["shutdown"])
    thread.start()
    thread.join()


def close_in_a_signal_handler(closing):
    before = signal.signal(signal.SIGUSR1, lambda *_: closing.close("shutdown"))
    os.kill(os.getpid(), signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize(
    "close", [lambda closing: closing.close("shutdown"), close_in_a_thread, close_in_a_signal_handler]
)
def test_a_sleep_ends_with_the_wish_wherever_that_comes_from(close):
    closing = Closing()
    assert slept_s(closing, LONG_S, lambda: close(closing)) < LONG_S
    assert closing.reason == "shutdown"


def test_nobody_sleeps_once_it_was_uttered():
    closing = Closing()
    closing.close("shutdown")
    assert slept_s(closing, LONG_S) < LONG_S


def test_all_who_sleep_are_woken():
    closing = Closing()

    async def scenario():
        sleepers = [asyncio.create_task(closing.sleep(LONG_S)) for _ in range(100)]
        await asyncio.sleep(0)
        closing.close("shutdown")
        await asyncio.wait_for(asyncio.gather(*sleepers), 60)

    asyncio.run(scenario())


def test_the_first_reason_stands():
    closing = Closing()
    closing.close("shutdown")
    closing.close("again")
    assert closing.reason == "shutdown"


def test_a_sleep_leaves_nothing_behind_even_if_cancelled():
    closing = Closing()

    async def scenario():
        await closing.sleep(0)
        sleeper = asyncio.create_task(closing.sleep(LONG_S))
        await asyncio.sleep(0)
        sleeper.cancel()
        await asyncio.gather(sleeper, return_exceptions=True)

    asyncio.run(scenario())
    assert not closing._wakers


def test_a_waker_is_called_at_once_where_it_is_too_late():
    closing, calls = Closing(), []
    closing.close("shutdown")
    with closing.waking(lambda: calls.append(1)):
        assert calls == [1]
