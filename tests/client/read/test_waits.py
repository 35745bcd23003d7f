"""How long a stream waits for what: neither less nor more, by the timers that it sets."""

import pytest

from streamgauge.client.connect.happy_eyeballs import ATTEMPT_DELAY_S, HappyEyeballs
from streamgauge.client.exchange import Exchange
from streamgauge.client.reactor import SelectorReactor
from streamgauge.client.read.process_context import ProcessContext
from streamgauge.client.reconnect import DEFAULT_WAIT_S
from streamgauge.client.session import Session
from streamgauge.stats.process_stats import ProcessStats

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"


class Timed(SelectorReactor):
    """One whose timers ring at once where they are asked to wait for longer than a second, and are written down."""

    def __init__(self):
        super().__init__()
        self.asked_s = []

    def after(self, delay_s, callback):
        self.asked_s.append(delay_s)
        return super().after(0.0 if 1 < delay_s < 20 else delay_s, callback)


@pytest.fixture
def waits(plan):
    """The waits of a stream that was connected to again."""

    def run(script, **options):
        reactor, paused = Timed(), []
        context, session = ProcessContext(ProcessStats(), reactor), Session()
        exchange = Exchange(plan(script, **options), context, lambda: paused.append(True))

        def wait():
            reactor.run_until(lambda: bool(paused))
            paused.clear()

        session.run(exchange, wait)
        session.close()
        reactor.close()
        return reactor.asked_s

    return run


@pytest.mark.parametrize(
    ("said", "wait_s"),
    [
        (b"", DEFAULT_WAIT_S),
        (b"retry: 1500\n", 1.5),
        (b"retry: 7\n", 0.007),
        (b"retry: 0\n", 0.0),
        (b"retry: x\n", 3.0),
    ],
)
def test_a_stream_is_connected_to_again_after_the_time_that_it_asked_for(said, wait_s, waits):
    asked_s = waits([HEAD + said + b"data: 1\n\n", "fin"], reconnect=3)
    assert [each for each in asked_s if each < 20] == pytest.approx([wait_s] * 3)


def test_the_default_wait_is_that_of_browsers():
    assert DEFAULT_WAIT_S == 3.0


@pytest.mark.parametrize("limit", ["first_chunk_timeout_s", "idle_timeout_s", "total_timeout_s"])
def test_a_limit_is_waited_for_and_not_for_longer(limit, waits):
    quiet = {"first_chunk_timeout_s": None, "idle_timeout_s": None, "total_timeout_s": None}
    asked_s = waits([HEAD + b"data: 1\n\n", "fin"], **{**quiet, limit: 40.0})
    assert asked_s == [pytest.approx(40.0, abs=1.0)]
    assert asked_s[0] <= 40.0


def test_the_other_family_is_tried_a_quarter_of_a_second_later(server):
    import socket

    reactor, found = Timed(), []
    addresses = ((socket.AF_INET, ("127.0.0.1", server.port)), (socket.AF_INET6, ("::1", server.port)))
    eyeballs = HappyEyeballs(addresses, reactor, found.append, found.append)
    eyeballs.start()
    reactor.run_until(lambda: bool(found))
    assert reactor.asked_s == [ATTEMPT_DELAY_S] == [0.25]
    found[0].close()
    reactor.close()
