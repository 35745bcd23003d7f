"""The hand-over in one process, on a clock and a timer that stand still; ``test_arrivals.py`` runs this."""

from types import SimpleNamespace

import gevent
import pytest

from streamgauge.load.arrivals import hand_over
from streamgauge.load.arrivals.hand_over import HandOver
from streamgauge.load.arrivals.schedule import Part, Schedule
from streamgauge.load.arrivals.spec import read_arrivals

WHOLE = Part(0.0, 0, 1)


class Timer:
    """A timer that a test rings; ``now_s`` is the time, and looking at it takes ``look_s``."""

    now_s, look_s = 1000.0, 0.0

    def __init__(self, ring):
        self.ring, self.at_s = ring, None
        Timer.last = self

    @classmethod
    def look(cls):
        cls.now_s += cls.look_s
        return cls.now_s

    def set(self, at_s):
        self.at_s = at_s

    def close(self):
        self.ring = lambda: None

    def ring_in_hub(self):
        gevent.get_hub().loop.run_callback(self.ring)
        gevent.sleep(0)
        gevent.sleep(0)


@pytest.fixture
def timer(monkeypatch):
    monkeypatch.setattr(hand_over, "PreciseTimer", Timer)
    monkeypatch.setattr(hand_over, "time", SimpleNamespace(monotonic=Timer.look))
    monkeypatch.setattr(Timer, "now_s", 1000.0)
    monkeypatch.setattr(Timer, "look_s", 0.0)
    return Timer


def schedule(text="10/s"):
    return Schedule(read_arrivals(text), 1, (("U", 1.0),))


@pytest.fixture
def users():
    """Start users that wait, each until its first arrival."""
    started = []

    def wait(handing, count):
        started.extend(gevent.spawn(handing.wait, "U") for _ in range(count))
        gevent.sleep(0)
        return started[-count:]

    yield wait
    gevent.killall(started)


@pytest.mark.parametrize("run", [1000.0, 2000.0], ids=["the same run", "the next run"])
def test_users_that_wait_go_on_waiting_when_a_schedule_comes(timer, users, run):
    handing = HandOver()
    handing.begin(schedule(), 1000.05, [WHOLE], 1000.0)
    waiting = users(handing, 2)
    handing.begin(schedule(), 1000.05, [WHOLE], run)
    gevent.sleep(0)
    assert not any(each.ready() for each in waiting)
    timer.now_s = 1000.06
    timer.last.ring_in_hub()
    assert [each.value[0].number for each in waiting if each.ready()] == [0]


def test_a_worker_that_returns_gets_its_new_share_and_repeats_no_arrival(timer, users):
    handing = HandOver()
    handing.begin(schedule(), 1000.0, [WHOLE], 7.0)
    waiting = users(handing, 10)
    timer.now_s = 1000.35
    timer.last.ring_in_hub()
    handing.begin(schedule(), 1000.0, [WHOLE, Part(0.35, 0, 0), Part(0.75, 1, 2)], 7.0)
    timer.now_s = 1001.15
    timer.last.ring_in_hub()
    assert sorted(each.value[0].number for each in waiting if each.ready()) == [0, 1, 2, 3, 9, 11]
    assert handing.take().scheduled == 6


def test_users_that_wait_when_the_run_ends_end_at_once(timer, users):
    handing = HandOver()
    handing.begin(schedule(), 1000.05, [WHOLE])
    waiting = users(handing, 2)
    handing.end()
    assert all(each.ready() for each in waiting)
