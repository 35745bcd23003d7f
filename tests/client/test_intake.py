"""Which streams are told to hurry: those of which it is known that their chunks come too close, or in pieces."""

import pytest

from streamgauge.client.exchange import Exchange
from streamgauge.client.instruments import Instruments
from streamgauge.client.reactor import SelectorReactor
from streamgauge.client.session import Session
from streamgauge.measure.clock import ArrivalClock
from streamgauge.measure.ledger import Ledger

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENT = b"9\r\ndata: 1\n\n\r\n"
END = b"0\r\n\r\n"
SECOND_NS = 10**9


class Reading:
    """One of a selector's, which takes note of being told to hurry."""

    def __init__(self, reading, hurried):
        self.stop, self.call, self.note = reading.stop, reading.call, reading.note
        self.may_wait, self.wait_briefly = reading.may_wait, reading.wait_briefly
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
    exchange = Exchange(plan, Instruments(Ledger(), reactor, clock), lambda: ended.append(1))
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
