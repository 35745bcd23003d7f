"""When the next chunk of a stream may wait: for how long, which streams never wait, and which are read at once."""

from types import SimpleNamespace
from typing import Any

import pytest

from streamgauge.client.exchange import Exchange
from streamgauge.client.reactor import WAITS_S, SelectorReactor
from streamgauge.client.read.process_context import ProcessContext
from streamgauge.client.read.read_schedule import AT_ONCE_S, YOUNG_S, ReadSchedule
from streamgauge.client.session import Session
from streamgauge.stats.clocks.arrival import ArrivalClock
from streamgauge.stats.process_stats import ProcessStats

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENT = b"9\r\ndata: 1\n\n\r\n"
END = b"0\r\n\r\n"
SECOND_NS = 10**9
MS = SECOND_NS // 1000


class Reading:
    """A selector's watch that notes for how long it is told to read at once."""

    def __init__(self, reading, told):
        self.stop, self.call, self.collect, self.may_wait = (
            reading.stop,
            reading.call,
            reading.collect,
            reading.may_wait,
        )
        self.read_at_once_for = told.append


class Reactor(SelectorReactor):
    def __init__(self):
        super().__init__()
        self.told = []

    def on_readable(self, fd, callback):
        return Reading(super().on_readable(fd, callback), self.told)


class Clock(ArrivalClock):
    """The last pass was this long ago, whatever the machine does."""

    __slots__ = ("ago_ns",)

    def begin_pass(self):
        super().begin_pass()
        self.floor_ns = self._monotonic() - self.ago_ns


def times_read_at_once(plan, ago_ns):
    """How often a stream is to be read at once for a minute, on a loop that last polled so long ago."""
    reactor, ended, clock = Reactor(), [], Clock()
    clock.ago_ns = ago_ns
    exchange = Exchange(plan, ProcessContext(ProcessStats(), reactor, clock), lambda: ended.append(1))
    session = Session()
    session.run(exchange, lambda: reactor.run_until(lambda: bool(ended)))
    session.close()
    reactor.close()
    assert exchange.record.outcome == "completed"
    assert reactor.told[0] == YOUNG_S
    return reactor.told.count(AT_ONCE_S)


TOGETHER = [EVENT + EVENT, "read"]
IN_PIECES = [EVENT, "read", EVENT[:3], "read", EVENT[3:], "read"]
#: Longer than a burst.
PAUSE_S = 0.03


@pytest.mark.parametrize("once", [TOGETHER, IN_PIECES], ids=["together", "in pieces"])
def test_chunks_that_come_together_or_in_pieces_several_times_are_read_at_once(plan, once):
    assert times_read_at_once(plan([HEAD, "read", *[*once, PAUSE_S] * 3, END]), -SECOND_NS) > 0


def test_a_single_burst_is_ignored(plan):
    assert times_read_at_once(plan([HEAD, "read", *TOGETHER, END]), -SECOND_NS) == 0


def test_chunks_that_a_late_loop_finds_together_are_ignored(plan):
    assert times_read_at_once(plan([HEAD, "read", *[*TOGETHER, PAUSE_S] * 3, END]), SECOND_NS) == 0


class Stream:
    """A schedule on a clock that is set by hand, and what it tells its reading."""

    def __init__(self, typical_chunks: float | None = None, *, self_delimited: bool = True, watched: bool = False):
        self.waits_s: list[float] = []
        self.at_once_s: list[float] = []
        reading: Any = SimpleNamespace(may_wait=self.waits_s.append, read_at_once_for=self.at_once_s.append)
        self.clock: Any = SimpleNamespace(now_ns=100 * SECOND_NS, floor_ns=100 * SECOND_NS)
        self.timer: Any = SimpleNamespace(exact=True, stats=SimpleNamespace(typical_chunks=typical_chunks))
        self.body: Any = SimpleNamespace(
            decoder=SimpleNamespace(pending=False),
            framing=SimpleNamespace(self_delimited=self_delimited),
            checks=SimpleNamespace(watched=watched),
            left_behind=False,
        )
        self.schedule = ReadSchedule(reading, self.body, self.timer, self.clock, MS)

    def chunks(self, interval_ns, count, *, stamped=True):
        for _ in range(count):
            self.clock.now_ns += max(interval_ns, 25 * MS)
            self.schedule.after_read(interval_ns, stamped=stamped)
        return self.waits_s, self.at_once_s


def test_a_young_stream_is_read_at_once():
    assert Stream().at_once_s == [YOUNG_S] == [0.5]


LONGEST_S = WAITS_S[0]


def test_chunks_that_come_far_apart_may_wait_the_longest():
    assert Stream().chunks(21 * MS, 10) == ([LONGEST_S], [YOUNG_S])


@pytest.mark.parametrize(("apart_ms", "wait_s"), [(12, 0.005), (8, 0.002), (4, 0.001)])
def test_chunks_that_come_close_may_wait_half_their_interval_less_a_round_trip(apart_ms, wait_s):
    assert Stream().chunks(apart_ms * MS, 2) == ([LONGEST_S, wait_s], [YOUNG_S])


def test_chunks_that_come_too_close_for_any_wait_are_read_at_once_for_a_minute():
    assert Stream().chunks(2 * MS, 2) == ([LONGEST_S], [YOUNG_S, 60.0])


def test_chunks_that_come_closer_and_closer_may_wait_less_and_less():
    stream = Stream()
    for apart_ms in (30, 15, 15, 8, 8, 3, 3):
        stream.chunks(apart_ms * MS, 2)
    assert stream.waits_s == [*WAITS_S]


def test_an_interval_on_the_fast_path_shortens_a_wait_at_once():
    stream = Stream()
    stream.chunks(50 * MS, 1)
    for _ in range(2):
        stream.clock.now_ns += 25 * MS
        stream.schedule.chunk_came_close(15 * MS)
    assert stream.waits_s == [LONGEST_S, 0.005]
    assert stream.schedule.close_ns == 11 * MS


@pytest.mark.parametrize(("typical", "waits_s"), [(None, [LONGEST_S]), (100.0, [LONGEST_S]), (99.0, [])])
def test_streams_of_a_name_whose_streams_are_short_do_not_wait(typical, waits_s):
    """Their last chunk would be a large part of all, and it shares its read with the end."""
    assert Stream(typical).chunks(50 * MS, 2)[0] == waits_s


@pytest.mark.parametrize("never", [{"self_delimited": False}, {"watched": True}], ids=str)
def test_a_stream_that_must_be_acted_on_at_once_never_waits(never):
    assert Stream(**never).chunks(50 * MS, 2)[0] == []


def test_a_read_without_a_stamp_does_not_wait():
    stream = Stream()
    stream.chunks(50 * MS, 1)
    assert stream.chunks(50 * MS, 1, stamped=False)[0] == [LONGEST_S, 0.0]


@pytest.mark.parametrize(
    "disturb",
    [
        lambda stream: setattr(stream.timer, "exact", False),
        lambda stream: setattr(stream.body, "left_behind", True),
        lambda stream: setattr(stream.body.decoder, "pending", True),
    ],
    ids=["an arrival that is not exact", "data left in the kernel", "half a chunk"],
)
def test_after_anything_but_one_whole_chunk_nothing_waits(disturb):
    stream = Stream()
    stream.chunks(50 * MS, 1)
    disturb(stream)
    assert stream.chunks(50 * MS, 1)[0] == [LONGEST_S, 0.0]
