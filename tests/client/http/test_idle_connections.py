"""Connections that wait for their next stream: those that are closed meanwhile leave, and so do those beyond a few."""

import socket

import pytest

from streamgauge.client.connect.transport import PlainTransport
from streamgauge.client.exchange import Exchange
from streamgauge.client.http.pool import MOST_IDLE, Connections

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9\r\n\r\ndata: 1\n\n"


@pytest.fixture
def pool():
    pool = Connections()
    yield pool
    pool.close()


@pytest.fixture
def keep(pool):
    """Keeps a connection to an origin, and gives the server's end of it."""
    ends = []

    def keep(number):
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.settimeout(60)
        pool.keep(("http", "host", number), PlainTransport(ours))
        ends.append(theirs)
        return theirs

    yield keep
    for end in ends:
        end.close()


@pytest.fixture
def closed(monkeypatch):
    """The connections that were closed, and not only let go of."""
    found = []
    monkeypatch.setattr(PlainTransport, "close", lambda self: (found.append(self), self.sock.close()))
    return found


def test_one_that_the_server_closed_leaves_when_another_is_kept(pool, keep, closed):
    open_still, stale = keep(1), keep(2)
    stale.close()
    keep(3)
    assert len(closed) == 1
    assert pool.take(("http", "host", 2)) is None
    open_still.send(b"x")
    keep(4)
    assert len(closed) == 2  # what is written to meanwhile is of no use either


def test_of_two_to_one_origin_the_later_is_kept_and_the_earlier_closed(pool, keep, closed):
    """Two streams of one user at once each bring one back."""
    first, second = keep(1), keep(1)
    assert (len(closed), first.recv(1)) == (1, b"")
    pool.take(("http", "host", 1)).close()
    assert second.recv(1) == b""


def test_one_for_a_stream_that_was_cut_off_while_its_way_was_sought_is_closed(talk, plan, server, until, closed):
    talk.stream(plan([WHOLE]))
    late = Exchange(plan([WHOLE]), talk.context, lambda: None)
    late.censor()
    talk.session.start(late)
    assert len(closed) == 1
    until(lambda: server.hung_up == ["fin"])
    assert len(server.requests) == 1


def test_the_last_few_are_kept_and_those_before_them_closed(pool, keep):
    ends = [keep(number) for number in range(MOST_IDLE + 2)]
    assert [end.recv(1) for end in ends[:2]] == [b"", b""]
    taken = [pool.take(("http", "host", number)) for number in range(MOST_IDLE + 2)]
    assert [each is not None for each in taken] == [False] * 2 + [True] * MOST_IDLE
    for each in filter(None, taken):
        each.close()


def test_the_one_that_was_used_least_recently_goes_first(pool, keep):
    ends = [keep(number) for number in range(MOST_IDLE)]
    used = pool.take(("http", "host", 0))
    pool.keep(("http", "host", 0), used)
    keep(MOST_IDLE)
    assert ends[1].recv(1) == b""
    assert pool.take(("http", "host", 0)) is used
    used.close()
