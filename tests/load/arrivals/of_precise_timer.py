"""The timer of the hand-over, on the real clock; ``test_arrivals.py`` runs this in a process of its own."""

import time

import gevent
import psutil
import pytest

from streamgauge.load.arrivals.precise_timer import PreciseTimer

PATIENCE_S = 30


@pytest.fixture(params=[True, False], ids=["timerfd", "libev"])
def ringing(request):
    """Makes a timer that notes when it rings."""
    rings = []
    timer = PreciseTimer(lambda: rings.append(time.monotonic()), precise=request.param)
    assert timer.precise is request.param
    yield timer, rings
    timer.close()


def wait(rings, times=1):
    deadline_s = time.monotonic() + PATIENCE_S
    while len(rings) < times and time.monotonic() < deadline_s:
        gevent.sleep(0.001)
    assert len(rings) == times


def test_it_rings_once_and_not_before_its_time(ringing):
    timer, rings = ringing
    at_s = time.monotonic() + 0.0205
    timer.set(at_s)
    wait(rings)
    assert rings[0] >= at_s - (0.0 if timer.precise else 0.001)  # libev counts in milliseconds
    gevent.sleep(0.03)
    assert len(rings) == 1


@pytest.mark.parametrize("at_s", [-5.0, 0.0, 0.5, 1.0])
def test_a_time_that_is_over_rings_at_once(ringing, at_s):
    timer, rings = ringing
    timer.set(at_s)
    wait(rings)


def test_it_forgets_the_time_that_was_set_before(ringing):
    timer, rings = ringing
    timer.set(time.monotonic() + 3600.0)
    timer.set(time.monotonic())
    wait(rings)
    timer.set(time.monotonic() + 0.01)
    timer.set(time.monotonic() + 3600.0)
    gevent.sleep(0.03)
    assert len(rings) == 1


def test_it_can_be_set_from_its_own_ring():
    rings = []

    def ring():
        rings.append(1)
        if len(rings) < 5:
            timer.set(time.monotonic() + 0.001)

    timer = PreciseTimer(ring)
    timer.set(time.monotonic())
    wait(rings, 5)
    timer.close()


@pytest.mark.parametrize("precise", [True, False])
def test_a_closed_timer_rings_no_more_and_leaves_no_descriptor(precise):
    before, rings = psutil.Process().num_fds(), []
    timer = PreciseTimer(lambda: rings.append(1), precise=precise)
    timer.set(time.monotonic() + 0.01)
    timer.close()
    timer.close()
    gevent.sleep(0.03)
    assert (rings, timer.precise, psutil.Process().num_fds()) == ([], False, before)
