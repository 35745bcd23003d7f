"""The hand-over in one process, on a clock and a timer that stand still; ``test_arrivals.py`` runs this."""

from types import SimpleNamespace

import gevent
import gevent.event
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


def woken(timer, handing, waiting, for_s):
    """Let the process freeze for a while after its first arrivals; return the numbers that it has started since."""
    timer.now_s = 1000.35
    timer.last.ring_in_hub()
    timer.now_s += for_s
    timer.last.ring_in_hub()
    return sorted(each.value[0].number for each in waiting if each.ready())


def test_a_worker_that_was_frozen_asks_before_it_starts_what_others_may_have_taken(timer, users):
    handing, asked = HandOver(), []
    handing.ask = lambda: asked.append(timer.now_s)
    handing.begin(schedule(), 1000.0, [WHOLE], 7.0)
    waiting = users(handing, 60)
    assert woken(timer, handing, waiting, 4.0) == [0, 1, 2, 3]
    assert asked == [1004.35]
    handing.begin(schedule(), 1000.0, [WHOLE, Part(1.9, 0, 0), Part(4.2, 0, 2)], 7.0)
    assert timer.last.at_s == timer.now_s
    timer.last.ring_in_hub()
    assert sorted(each.value[0].number for each in waiting if each.ready()) == [*range(19), 42]
    assert handing.take().scheduled == 20


def test_a_worker_asks_again_if_the_master_does_not_answer(timer, users):
    handing, asked = HandOver(), []
    handing.ask = lambda: asked.append(timer.now_s)
    handing.begin(schedule(), 1000.0, [WHOLE], 7.0)
    woken(timer, handing, users(handing, 1), 4.0)
    for _ in range(12):
        timer.now_s = timer.last.at_s
        timer.last.ring_in_hub()
    assert asked == pytest.approx([1004.35, 1005.6, 1006.85])


@pytest.mark.parametrize(
    ("for_s", "worker"), [(0.7, True), (4.0, False)], ids=["a short pause", "a run in one process"]
)
def test_a_process_whose_arrivals_nobody_can_have_taken_starts_them_all(timer, users, for_s, worker):
    handing, asked = HandOver(), []
    if worker:
        handing.ask = lambda: asked.append(timer.now_s)
    handing.begin(schedule(), 1000.0, [WHOLE], 7.0)
    due = round((0.35 + for_s) * 10 + 0.5)
    assert woken(timer, handing, users(handing, 60), for_s) == list(range(due))
    assert asked == []


def test_the_end_of_a_process_says_which_arrivals_waited(timer, users):
    handing = HandOver()
    handing.begin(schedule(), 1000.0, [WHOLE], 7.0)
    (user,) = users(handing, 1)
    timer.now_s = 1000.35
    timer.last.ring_in_hub()
    handing.end()
    assert user.value[0].number == 0
    assert handing.ended == (7.0, pytest.approx(0.35), pytest.approx([0.1, 0.2, 0.3]))


def test_a_schedule_is_served_once_its_users_are_done_with_its_arrivals(timer):
    handing = HandOver()
    short = Schedule(read_arrivals("10/s"), 1, (("U", 1.0),), end_s=0.25)
    done = [gevent.event.Event() for _ in range(3)]

    def serve(number):
        handing.wait("U")
        done[number].wait()
        if number < 2:  # the others wait for another arrival, the last one ends
            handing.wait("U")

    handing.begin(short, 1000.0, [WHOLE], 7.0)
    serving = [gevent.spawn(serve, number) for number in range(3)]
    gevent.sleep(0)
    for now_s in (1000.2, 1000.3):
        timer.now_s = now_s
        timer.last.ring_in_hub()
        assert not handing.served
    for each in done:
        assert not handing.served
        each.set()
        gevent.sleep(0)
        gevent.sleep(0)
    assert handing.served
    gevent.killall(serving)


def test_a_schedule_without_an_end_is_never_served(timer):
    handing = HandOver()
    assert not handing.served
    handing.begin(schedule(), 1000.0, [WHOLE], 7.0)
    timer.now_s += 600
    assert not handing.served


def test_users_that_wait_when_the_run_ends_end_at_once(timer, users):
    handing = HandOver()
    handing.begin(schedule(), 1000.05, [WHOLE])
    waiting = users(handing, 2)
    handing.end()
    assert all(each.ready() for each in waiting)


def ring_until_caught_up(timer):
    """Ring as long as the timer is due at once; return how long each ring took."""
    took_s = []
    while timer.last.at_s <= timer.now_s:
        began_s = timer.now_s
        timer.last.ring_in_hub()
        took_s.append(timer.now_s - began_s)
    return took_s


@pytest.mark.parametrize("text", ["500/s", "poisson:500/s"])
def test_a_worker_that_joins_late_walks_past_earlier_arrivals_in_short_steps(timer, users, text):
    timer.look_s = 20e-6
    handing = HandOver()
    handing.begin(schedule(text), timer.now_s - 600, [Part(601.5, 0, 1)], 7.0)
    took_s = ring_until_caught_up(timer)
    assert len(took_s) > 10
    assert max(took_s) < 0.0025
    (waiting,) = users(handing, 1)
    timer.now_s += 1.6
    timer.last.ring_in_hub()
    first = next(each for each in schedule(text).arrivals() if each.at_s >= 601.5)
    assert waiting.value[0] == first


def test_a_worker_that_learns_late_of_arrivals_of_its_own_drops_them_in_short_steps(timer):
    timer.look_s = 20e-6
    handing = HandOver()
    handing.begin(schedule("500/s"), timer.now_s - 20, [WHOLE], 7.0)
    took_s = ring_until_caught_up(timer)
    assert len(took_s) > 10
    assert max(took_s) < 0.0025 + 0.02 * 2  # what waits less than a second is handed over in one go
    counts = handing.take()
    assert counts.scheduled == counts.dropped == pytest.approx(19 * 500, abs=200)


def test_a_worker_that_joins_after_the_last_arrival_rests(timer):
    handing = HandOver()
    last = Schedule(read_arrivals("10/s"), 1, (("U", 1.0),), end_s=5.0)
    handing.begin(last, timer.now_s - 600, [Part(601.5, 0, 1)], 7.0)
    assert len(ring_until_caught_up(timer)) == 1
    assert timer.last.at_s == timer.now_s + 0.25
