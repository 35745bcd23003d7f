"""The hand-over of arrivals to users, on a simulated clock; ``test_arrivals.py`` runs this in a process of its own."""

import heapq
import itertools
import math

import pytest

from streamgauge.load.arrivals.schedule import Arrival, Schedule
from streamgauge.load.arrivals.spec import read_arrivals
from streamgauge.load.arrivals.waiting_users import LATE_S, LONGEST_WAIT_S, ArrivalCounts, WaitingUsers


class Simulated:
    """Users of one class that serve arrivals, each for as long as ``service_s`` says at its start."""

    def __init__(self, text, users, service_s, until_s, seed=1):
        self.service_s, self.waiting, self.now_s = service_s, WaitingUsers(), 0.0
        self.started, self.response_s, self._order = [], [], itertools.count()
        self.ends = []
        self.under_way = self.most = 0
        for _ in range(users):
            self._idle(object())
        arrivals = Schedule(read_arrivals(text), seed, (("U", 1.0),)).arrivals()
        for arrival in itertools.takewhile(lambda each: each.at_s < until_s, arrivals):
            self._run_until(arrival.at_s)
            self.now_s = arrival.at_s
            self.waiting.due(arrival, self.now_s)
        self._run_until(math.inf)
        self.waiting.end(self.now_s)
        self.counts = self.waiting.take()

    def _run_until(self, t_s):
        while self.ends and self.ends[0][0] <= t_s:
            self.now_s, _, user = heapq.heappop(self.ends)
            self.under_way -= 1
            self._idle(user)

    def _idle(self, user):
        if (arrival := self.waiting.next("U", self.now_s)) is not None:
            self._start(user, arrival, waited=True)
        else:
            self.waiting.add("U", user, lambda arrival: self._start(user, arrival, waited=False))

    def _start(self, user, arrival, waited):
        delay_s = self.waiting.started(arrival, self.now_s, waited=waited)
        assert delay_s == pytest.approx(self.now_s - arrival.at_s)
        self.started.append(arrival.number)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        end_s = self.now_s + self.service_s(self.now_s)
        self.response_s.append(end_s - arrival.at_s)
        heapq.heappush(self.ends, (end_s, next(self._order), user))


def frozen(at_s, for_s, usual_s=0.01):
    """A service that answers after ``usual_s``, and not at all while it is frozen."""
    return lambda now_s: (at_s + for_s - now_s if at_s <= now_s < at_s + for_s else 0.0) + usual_s


def p99(values):
    return sorted(values)[math.ceil(0.99 * len(values)) - 1]


def test_a_freeze_delays_each_arrival_of_its_time_and_loses_none():
    run = Simulated("200/s", users=1000, service_s=frozen(3, 2), until_s=10)
    assert len(run.started) == 2000 == run.counts.scheduled
    assert (run.counts.late, run.counts.dropped) == (0, 0)
    assert p99(run.response_s) == pytest.approx(2.0, rel=0.06)
    assert sum(each > 0.1 for each in run.response_s) == pytest.approx(400, abs=25)


def test_users_of_a_closed_model_omit_what_the_freeze_kept_from_starting():
    """Four users that pause 10 ms between streams of 10 ms reach 200 streams/s as well."""
    response_s, service = [], frozen(3, 2)
    for _ in range(4):
        now_s = 0.0
        while now_s < 10:
            response_s.append(service(now_s))
            now_s += response_s[-1] + 0.01
    assert sum(each > 0.1 for each in response_s) <= 4
    assert p99(response_s) == pytest.approx(0.01)


def test_where_the_cap_is_reached_arrivals_wait_for_a_second_and_count_from_their_schedule():
    run = Simulated("200/s", users=200, service_s=frozen(3, 2), until_s=10)
    assert run.most == 200
    assert run.counts.scheduled == 2000
    assert len(run.started) + run.counts.dropped == 2000
    assert 0 < run.counts.dropped < 10
    assert run.counts.capped == run.counts.late > 100
    assert p99(run.response_s) > 1.9


def test_what_waited_longer_than_a_second_is_dropped_and_counted():
    run = Simulated("200/s", users=50, service_s=frozen(3, 2), until_s=10)
    assert run.counts.dropped == pytest.approx(400 - 50 - 200, abs=15)
    assert len(run.started) + run.counts.dropped == run.counts.scheduled == 2000
    assert len(set(run.started)) == len(run.started)
    assert run.started == sorted(run.started)


def test_a_service_that_is_too_slow_for_good_gets_as_much_as_it_serves():
    run = Simulated("200/s", users=10, service_s=lambda _: 0.1, until_s=20)
    assert len(run.started) / 20 == pytest.approx(100, rel=0.06)
    assert len(run.started) + run.counts.dropped == run.counts.scheduled == 4000
    assert max(run.response_s) <= LONGEST_WAIT_S + 0.1 + 1e-9


def test_falling_behind_shifts_no_later_arrival():
    slow_first = Simulated("100/s", users=1, service_s=lambda now_s: 0.5 if now_s < 0.1 else 0.001, until_s=3)
    assert slow_first.counts.dropped == 0
    assert len(slow_first.started) == 300
    assert slow_first.response_s[-1] == pytest.approx(0.001)


def test_a_start_is_late_only_after_the_bound_and_capped_only_if_it_waited():
    waiting = WaitingUsers()
    for number, (delay_s, waited) in enumerate([(LATE_S - 1e-4, False), (LATE_S + 1e-4, False), (0.5, True)]):
        waiting.started(Arrival(number, 1.0, "U"), 1.0 + delay_s, waited=waited)
    assert waiting.take() == ArrivalCounts(scheduled=0, late=2, capped=1, dropped=0)
    assert waiting.take() == ArrivalCounts()


def test_users_wait_by_class_and_the_last_one_free_is_taken_first():
    waiting, started = WaitingUsers(), []
    for name in ("first", "second"):
        waiting.add("A", name, lambda arrival, name=name: started.append((name, arrival.number)))
    waiting.due(Arrival(0, 0.0, "B"), 0.0)
    waiting.due(Arrival(1, 0.0, "A"), 0.0)
    waiting.remove("A", "first")
    waiting.due(Arrival(2, 0.0, "A"), 0.0)
    assert started == [("second", 1)]
    assert waiting.next("B", 0.5).number == 0
    assert waiting.next("A", 0.5).number == 2
    assert waiting.next("A", 0.5) is None


def test_what_has_not_waited_for_the_limit_when_the_run_ends_is_not_dropped_and_does_not_count():
    waiting = WaitingUsers()
    waiting.due(Arrival(0, 0.0, "A"), 0.0)
    waiting.due(Arrival(1, LONGEST_WAIT_S, "A"), LONGEST_WAIT_S)
    waiting.end(LONGEST_WAIT_S + 0.01)
    assert waiting.take() == ArrivalCounts(scheduled=1, dropped=1)
    assert waiting.next("A", LONGEST_WAIT_S + 0.01) is None


def test_an_arrival_that_waits_counts_as_scheduled_once_it_has_started_or_was_dropped():
    waiting = WaitingUsers()
    waiting.due(Arrival(0, 0.0, "A"), 0.0)
    waiting.due(Arrival(1, 0.9, "A"), 0.9)
    assert waiting.take() == ArrivalCounts()
    waiting.drop_expired(1.1)
    assert waiting.take() == ArrivalCounts(scheduled=1, dropped=1)
    assert waiting.next("A", 1.1).number == 1
    assert waiting.take() == ArrivalCounts(scheduled=1)


def test_a_run_that_ends_while_an_arrival_waits_for_some_milliseconds_got_its_load():
    """10 s at 50/s, where a single drop would be 0.2 %: above the limit of 0.1 %."""
    run = Simulated("50/s", users=1, service_s=lambda _: 0.019, until_s=10)
    run.waiting.due(Arrival(500, 10.0, "B"), 10.0)
    run.waiting.end(10.005)
    assert run.waiting.take().dropped == run.counts.dropped == 0
