"""The reactor on gevent's hub beside a flood of bytes. Prints as JSON what it saw; no Locust runs."""

import json
import os
import subprocess
import sys
import time

import gevent
from gevent.event import Event
from gevent.socket import wait_read

from streamgauge.load.reactor import OLD_S, HubReactor

BYTES, ROUND_TRIPS = 5_000, 100
FLOOD = """
import os, sys, time
for _ in range(int(sys.argv[1])):
    os.write(1, b"x")
    time.sleep(0.0002)
"""


class Flood:
    """Another process that writes a byte every 0.2 ms, and what has been read of it."""

    def __init__(self, reactor, count, *, waits):
        self.process = subprocess.Popen([sys.executable, "-c", FLOOD, str(count)], stdout=subprocess.PIPE)
        self._fd = self.process.stdout.fileno()
        self.read = 0
        wait_read(self._fd)
        self._reading = reactor.on_readable(self._fd, self._on_readable)
        self._reading.may_wait(waits)

    def _on_readable(self):
        self.read += len(os.read(self._fd, 65_536))

    def end(self):
        self._reading.stop()
        self.process.kill()
        self.process.communicate()


def passes(*, waits, blurs=False):
    """How often the loop asked what is readable, until a flood was read, and in how many passes it was gathering."""
    reactor, gathering = HubReactor(), []
    reactor.around_each_pass(lambda: gathering.append(reactor.gathering), lambda _: reactor.hurry() if blurs else None)
    flood = Flood(reactor, BYTES, waits=waits)
    gevent.sleep(2 * OLD_S)
    gathering.clear()
    begin_s, left = time.monotonic(), BYTES - flood.read
    while flood.read < BYTES:
        gevent.sleep(0.01)
    took_s = time.monotonic() - begin_s
    flood.end()
    return {"passes": len(gathering), "gathering": sum(gathering), "took_s": took_s, "bytes": left}


def young():
    """In how many passes the loop was gathering while a flood was new to it, and in how many passes in all."""
    reactor, gathering = HubReactor(), []
    reactor.around_each_pass(lambda: gathering.append(reactor.gathering), lambda _: None)
    flood = Flood(reactor, BYTES, waits=True)
    begin_s = time.monotonic()
    while time.monotonic() < begin_s + OLD_S / 2:
        gevent.sleep(0.001)
    found = {"passes": len(gathering), "gathering": sum(gathering) if time.monotonic() < begin_s + OLD_S else 0}
    flood.end()
    return found


def seen_without_a_pass():
    """Of as many bytes each, beside a flood, how many were seen before the loop asked again: of one that may wait, and
    of one that may not.
    """
    reactor, found, asked = HubReactor(), {}, []
    reactor.around_each_pass(lambda: asked.append(1), lambda _: None)
    flood = Flood(reactor, 40 * BYTES, waits=True)
    for name, waits in (("waiting", True), ("pressing", False)):
        reader, writer = os.pipe()
        seen = Event()
        reading = reactor.on_readable(reader, lambda reader=reader, seen=seen: (os.read(reader, 1), seen.set()))
        reading.may_wait(waits)
        gevent.sleep(2 * OLD_S)
        found[name] = 0
        for _ in range(ROUND_TRIPS):
            seen.clear()
            asked.clear()
            os.write(writer, b"x")
            seen.wait()
            found[name] += not asked
            gevent.sleep(0.0005)
        reading.stop()
    flood.end()
    return found


print(
    json.dumps(
        {
            "waiting": passes(waits=True),
            "pressing": passes(waits=False),
            "blurred": passes(waits=True, blurs=True),
            "young": young(),
            "without_a_pass": seen_without_a_pass(),
        }
    )
)
