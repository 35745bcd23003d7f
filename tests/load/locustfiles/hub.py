"""The reactor on gevent's hub beside a flood of bytes. Prints as JSON what it saw; no Locust runs."""

import json
import os
import subprocess
import sys
import time

import gevent
from gevent.event import Event
from gevent.socket import wait_read

from streamgauge.client.reactor import LONGEST_WAIT_S
from streamgauge.load import read_table
from streamgauge.load.hub_reactor import HubReactor

#: What takes half a second and a minute takes less here.
YOUNG_S, AT_ONCE_S = 0.2, 0.6
FLOOD = """
import os, sys, time
while True:
    os.write(1, b"x")
    time.sleep(0.0002)
"""
ROUND_TRIPS = 100


class Flood:
    """Another process that writes a byte every 0.2 ms, and what has been read of it."""

    def __init__(self, reactor, *, waits):
        self.process = subprocess.Popen([sys.executable, "-c", FLOOD], stdout=subprocess.PIPE)
        self._fd = self.process.stdout.fileno()
        self.too_close = False
        wait_read(self._fd)
        self.reading = reactor.on_readable(self._fd, self._on_readable)
        self.reading.read_at_once_for(YOUNG_S)
        self.reading.may_wait(LONGEST_WAIT_S if waits else 0.0)

    def _on_readable(self):
        os.read(self._fd, 65_536)
        if self.too_close:
            self.reading.read_at_once_for(AT_ONCE_S)

    def end(self):
        self.reading.stop()
        self.process.kill()
        self.process.communicate()


class Watched:
    """A reactor beside a flood, and for how long it was gathering in each of its passes."""

    def __init__(self, *, waits):
        self.reactor = HubReactor()
        self.gathering = []
        self.reactor.around_each_pass(lambda: self.gathering.append(self.reactor.gathering_for_s), lambda _: None)
        self.flood = Flood(self.reactor, waits=waits)

    def passes(self, for_s):
        """How often the loop passes_seen what is readable, and in how many of these passes it was gathering."""
        self.gathering.clear()
        begin_s = time.monotonic()
        gevent.sleep(for_s)
        took_s = time.monotonic() - begin_s
        gathering_for_s = [for_s for for_s in self.gathering if for_s]
        return {
            "passes": len(self.gathering), "gathering": len(gathering_for_s), "took_s": took_s,
            "for_s": sorted(set(gathering_for_s)),
        }  # fmt: skip


def old(*, waits):
    """A flood that is old."""
    watched = Watched(waits=waits)
    gevent.sleep(2 * YOUNG_S)
    return watched


def passes(*, waits):
    watched = old(waits=waits)
    found = watched.passes(0.5)
    watched.flood.end()
    return found


class Brief:
    """A pipe that allows only a shorter wait, and in which nothing comes."""

    def __init__(self, reactor, wait_s):
        self._reader, self._writer = os.pipe()
        self.reading = reactor.on_readable(self._reader, lambda: os.read(self._reader, 1))
        self.reading.read_at_once_for(YOUNG_S)
        self.reading.may_wait(wait_s)

    def end(self):
        self.reading.stop()
        os.close(self._writer)
        os.close(self._reader)


def briefly():
    """Beside some that allow less: how long the loop waits while they are few, while they are not, and afterwards."""
    watched, found = old(waits=True), {}

    def after(name):
        gevent.sleep(0.1)
        found[name] = watched.passes(0.4)

    brief = [Brief(watched.reactor, 0.005) for _ in range(read_table.FEW - 2)] + [Brief(watched.reactor, 0.001)]
    gevent.sleep(2 * YOUNG_S)
    after("few")
    brief += [Brief(watched.reactor, 0.002)]
    gevent.sleep(2 * YOUNG_S)
    after("not_few")
    brief[0].reading.may_wait(0.0)
    after("one_at_once")
    brief[0].reading.may_wait(0.005)
    after("not_few_again")
    brief.pop(0).end()
    after("one_ended")
    while brief:
        brief.pop().end()
    watched.flood.end()
    return found


def read_at_once():
    """While the chunks of an old flood come too close, and when they have not for some time."""
    watched = old(waits=True)
    watched.flood.too_close = True
    gevent.sleep(0.1)
    found = {"read_at_once": watched.passes(0.5)}
    watched.flood.too_close = False
    gevent.sleep(2.5 * AT_ONCE_S)
    found["read_at_once_long_ago"] = watched.passes(0.5)
    watched.flood.end()
    return found


def young():
    """While a flood is new, where that did not last too long."""
    watched, begin_s = Watched(waits=True), time.monotonic()
    found = watched.passes(YOUNG_S / 2)
    in_time = time.monotonic() < begin_s + YOUNG_S
    watched.flood.end()
    return found if in_time else {**found, "gathering": 0}


def seen_without_a_pass():
    """Beside a flood, how many of as many bytes each were read before the next pass: of a pipe that may wait, and of
    one that may not.
    """
    reactor, found, passes_seen = HubReactor(), {}, []
    reactor.around_each_pass(lambda: passes_seen.append(1), lambda _: None)
    parts, under_way = [], []
    reactor.around_each_part(lambda: under_way.append(1), under_way.clear)
    flood = Flood(reactor, waits=True)
    for name, waits in (("waiting", True), ("urgent", False)):
        reader, writer = os.pipe()
        seen = Event()
        reading = reactor.on_readable(
            reader, lambda reader=reader, seen=seen: (os.read(reader, 1), seen.set(), parts.extend(under_way))
        )
        reading.may_wait(LONGEST_WAIT_S if waits else 0.0)
        gevent.sleep(2 * YOUNG_S)
        found[name] = 0
        parts.clear()
        for _ in range(ROUND_TRIPS):
            seen.clear()
            passes_seen.clear()
            os.write(writer, b"x")
            seen.wait()
            found[name] += not passes_seen
            gevent.sleep(0.0005)
        found[f"{name}_in_a_part"] = len(parts)
        reading.stop()
    flood.end()
    return found


def polls_among_many():
    """How often the loop polled while as many greenlets as gevent runs in a row took their turns of a millisecond."""
    reactor, passes_seen = HubReactor(), []
    reactor.around_each_pass(lambda: passes_seen.append(1), lambda _: None)

    def turn():
        end_s = time.monotonic() + 0.001
        while time.monotonic() < end_s:
            pass
        reactor.poll_if_overdue()

    gevent.joinall([gevent.spawn(turn) for _ in range(500)])
    return len(passes_seen)


print(
    json.dumps(
        {
            "waiting": passes(waits=True),
            "urgent": passes(waits=False),
            "young": young(),
            **read_at_once(),
            **briefly(),
            "polls_among_many": polls_among_many(),
            "without_a_pass": seen_without_a_pass(),
        }
    )
)
