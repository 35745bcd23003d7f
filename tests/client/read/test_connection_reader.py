"""Which streams are told to hurry: those of which it is known that their chunks come too close, or in pieces."""

import socket
from types import SimpleNamespace

import pytest

from streamgauge.client.exchange import Exchange
from streamgauge.client.reactor import WAITS_S, SelectorReactor
from streamgauge.client.read.connection_reader import ConnectionReader
from streamgauge.client.read.process_context import ProcessContext
from streamgauge.client.session import Session
from streamgauge.stats.clocks.arrival import ArrivalClock
from streamgauge.stats.process_stats import ProcessStats

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENT = b"9\r\ndata: 1\n\n\r\n"
END = b"0\r\n\r\n"
SECOND_NS = 10**9


class Reading:
    """One of a selector's, which takes note of being told to hurry."""

    def __init__(self, reading, hurried):
        self.stop, self.call, self.note = reading.stop, reading.call, reading.note
        self.may_wait, self.wait_at_most = reading.may_wait, reading.wait_at_most
        self.hurry = lambda: hurried.append(1)


class Reactor(SelectorReactor):
    def __init__(self):
        super().__init__()
        self.hurried = []

    def on_readable(self, fd, callback):
        return Reading(super().on_readable(fd, callback), self.hurried)


class Clock(ArrivalClock):
    """The last pass was this long ago, whatever the machine does."""

    __slots__ = ("ago_ns",)

    def begin_pass(self):
        super().begin_pass()
        self.floor_ns = self._monotonic() - self.ago_ns


def hurried(plan, ago_ns):
    """How often a stream was told to hurry by a loop that looked so long ago."""
    reactor, ended, clock = Reactor(), [], Clock()
    clock.ago_ns = ago_ns
    exchange = Exchange(plan, ProcessContext(ProcessStats(), reactor, clock), lambda: ended.append(1))
    session = Session()
    session.run(exchange, lambda: reactor.run_until(lambda: bool(ended)))
    session.close()
    reactor.close()
    assert exchange.record.outcome == "completed"
    return len(reactor.hurried)


TOGETHER = [EVENT + EVENT, "read"]
IN_PIECES = [EVENT, "read", EVENT[:3], "read", EVENT[3:], "read"]
#: Longer than catching up takes.
PAUSE_S = 0.03


@pytest.mark.parametrize("once", [TOGETHER, IN_PIECES], ids=["together", "in pieces"])
def test_what_comes_together_or_in_pieces_again_and_again_is_told_to_hurry(plan, once):
    assert hurried(plan([HEAD, "read", *[*once, PAUSE_S] * 3, END]), -SECOND_NS) > 0


def test_what_does_so_once_is_not(plan):
    assert hurried(plan([HEAD, "read", *TOGETHER, END]), -SECOND_NS) == 0


def test_what_a_late_loop_finds_together_is_not(plan):
    assert hurried(plan([HEAD, "read", *[*TOGETHER, PAUSE_S] * 3, END]), SECOND_NS) == 0


class Stream:
    """An intake that is told of chunks by hand, and what it tells its reading: a wait, or 0 where it is to hurry."""

    def __init__(self, monkeypatch, typical_chunks=None):
        self.told, self.may_wait = [], []
        reading = SimpleNamespace(
            may_wait=self.may_wait.append,
            wait_at_most=self.told.append,
            hurry=lambda: self.told.append(0),
            call=lambda callback: None,
        )
        monkeypatch.setattr("streamgauge.client.read.connection_reader.round_trip_ns", lambda sock: MS)
        self.clock = SimpleNamespace(now_ns=100 * SECOND_NS, floor_ns=100 * SECOND_NS)
        reactor = SimpleNamespace(on_readable=lambda fd, callback: reading)
        process_stats = SimpleNamespace(lag=None)
        context = SimpleNamespace(clock=self.clock, process_stats=process_stats, reactor=reactor)
        with socket.socket() as sock:
            self.reader = ConnectionReader(SimpleNamespace(sock=sock), context, None, None)
            self.body = SimpleNamespace(
                decoder=SimpleNamespace(pending=0),
                framing=SimpleNamespace(self_delimited=True),
                checks=SimpleNamespace(watched=False),
                left_behind=0,
            )
            stats = SimpleNamespace(typical_chunks=typical_chunks)
            self.reader.begin_body(self.body, SimpleNamespace(stats=stats))
            self.reader._stamped = True

    def chunks(self, apart_ns, count):
        for _ in range(count):
            self.clock.now_ns += max(apart_ns, 25 * MS)
            self.reader.await_next(self.body, apart_ns, exact=True)
        return self.told


MS = SECOND_NS // 1000


@pytest.mark.parametrize(("apart_ms", "wait_s"), [(12, 0.005), (8, 0.002), (4, 0.001), (2, 0)])
def test_what_comes_close_may_wait_for_half_as_long_less_a_round_trip(monkeypatch, apart_ms, wait_s):
    assert Stream(monkeypatch).chunks(apart_ms * MS, 2) == [wait_s]


def test_what_comes_closer_and_closer_may_wait_less_and_less(monkeypatch):
    stream = Stream(monkeypatch)
    for apart_ms in (30, 15, 15, 8, 8, 3, 3):
        stream.chunks(apart_ms * MS, 2)
    assert stream.told == [*WAITS_S[1:]]


def test_what_comes_far_apart_may_wait_the_longest(monkeypatch):
    assert Stream(monkeypatch).chunks(21 * MS, 10) == []


@pytest.mark.parametrize(("typical", "waits"), [(None, True), (100.0, True), (99.0, False)])
def test_streams_of_a_name_whose_streams_are_short_do_not_wait(monkeypatch, typical, waits):
    """Their last chunk would be a large part of all, and it shares its read with the end."""
    stream = Stream(monkeypatch, typical)
    stream.chunks(50 * MS, 2)
    assert stream.may_wait == [waits] * 2
