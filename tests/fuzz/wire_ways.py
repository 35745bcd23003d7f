"""Target of the fuzzer on the client's fast path of a read: the records are the same as without it, read by read.

Two streams are read side by side on a loop and on clocks that are set by hand; then once more over a transport for
which the client has no fast path.
"""

import struct
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from wire_whole import in_chunk

from streamgauge.client.connect.dial import Route
from streamgauge.client.connect.stamped_socket import SO_TIMESTAMPNS
from streamgauge.client.connect.target import target_of
from streamgauge.client.connect.transport import PlainTransport
from streamgauge.client.exchange import Exchange
from streamgauge.client.http.request import Request
from streamgauge.client.plan import Limits, StreamPlan
from streamgauge.client.read.process_context import ProcessContext
from streamgauge.stats.clocks.arrival import ArrivalClock
from streamgauge.stats.process_stats import ProcessStats
from streamgauge.wire.rules import read_end
from streamgauge.wire.sequence import read_numbering
from streamgauge.wire.sse import SSE

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
REQUEST = Request("GET", target_of("http://fuzz/"), {})
ENDS = (None, "event:done", "data:[DONE]")
LIMITS = (Limits(idle_timeout_s=3.0), Limits(idle_timeout_s=3.0, max_chunk_bytes=48))
NUMBERS = (None, "id")
#: Separates the reads of one input: what follows is the payload of a transfer chunk, or, after RAW, a read as it is.
READ, RAW = b"\0", b"="
MS = 1_000_000
WALL_OFFSET_NS = 10**18


class ByHand:
    """A socket that reads what it was given."""

    def __init__(self) -> None:
        self.given: tuple[bytes, int] | None = None
        self.send, self.fileno, self.close = len, lambda: 0, lambda: None
        self.getsockopt = lambda *_: b""

    def recvmsg(self, *_: int) -> tuple[bytes, list[Any], int, None]:
        if self.given is None:
            raise BlockingIOError
        (data, stamp_ns), self.given = self.given, None
        return data, [(1, SO_TIMESTAMPNS, struct.pack("qq", *divmod(stamp_ns, 10**9)))], 0, None


class OtherTransport:
    """A plain transport that is not known as one."""

    end = None
    beyond = False

    def expect(self) -> None:
        """See ``Transport``."""

    def came_at_once(self) -> bool:
        """Whether all came in one segment: that is not known."""
        return False

    def __init__(self, sock: Any) -> None:
        plain = PlainTransport(sock)
        self.sock, self.read, self.write, self.flush, self.close = (
            sock,
            plain.read,
            plain.write,
            plain.flush,
            plain.close,
        )
        self.watch, self.unwatch, self.rest = plain.watch, plain.unwatch, plain.rest


class World:
    """Two streams on an event loop, which it is itself: one pass for each call."""

    def __init__(self, plans: list[StreamPlan], transport: Callable[[Any], Any]) -> None:
        self.now_ns = 10**12
        self.process_stats = ProcessStats(lambda: self.now_ns)
        self.clock = ArrivalClock(lambda: self.now_ns + WALL_OFFSET_NS, lambda: self.now_ns)
        self._around: list[tuple[Callable[[], None], Callable[[list[Any]], None]]] = []
        self._callbacks: list[Callable[[], None]] = []
        self._timers: list[Callable[[], None]] = []
        self._collected: list[Any] = []
        self._socks = [ByHand() for _ in plans]
        context = ProcessContext(self.process_stats, self, self.clock, cpu_busy_ns=lambda: None)
        self.exchanges = [Exchange(plan, context, lambda: None) for plan in plans]
        for exchange, sock in zip(self.exchanges, self._socks, strict=True):
            exchange.send(Route(()), REQUEST, transport(sock))

    # What exchanges ask of a loop

    def around_each_part(self, before: Callable[[], None], after: Callable[[], None]) -> None:
        """Each pass is a whole one."""

    def around_each_pass(self, before: Callable[[], None], after: Callable[[list[Any]], None]) -> None:
        self._around.append((before, after))

    def on_readable(self, fd: int, callback: Callable[[], None]) -> Any:
        at = len(self._callbacks)
        self._callbacks.append(callback)

        def call(callback: Callable[[], None]) -> None:
            self._callbacks[at] = callback

        return SimpleNamespace(
            call=call,
            collect=lambda item: call(lambda: self._collected.append(item)),
            may_wait=lambda wait_s: None,
            read_at_once_for=lambda for_s: None,
            stop=lambda: call(lambda: None),
        )

    def after(self, delay_s: float, callback: Callable[[], None]) -> Any:
        self._timers.append(callback)
        return SimpleNamespace(stop=lambda: callback in self._timers and self._timers.remove(callback))

    # What happens

    def read(self, reads: list[bytes], after_ns: int) -> None:
        """A pass that finds these, one for each stream."""
        self.now_ns += after_ns
        for before, _ in self._around:
            before()
        for sock, data, callback in zip(self._socks, reads, list(self._callbacks), strict=False):
            sock.given = data, self.now_ns + WALL_OFFSET_NS - MS
            callback()
        collected = self._collected[:]
        self._collected.clear()
        for _, after in self._around:
            after(collected)

    def run_timers(self) -> None:
        """Whatever the streams wanted to be woken for, early or late."""
        timers = self._timers[:]
        self._timers.clear()
        for callback in timers:
            callback()

    def result(self) -> dict[str, Any]:
        """All that is known of the streams, once they have ended."""
        return {
            "records": [exchange.record for exchange in self.exchanges],
            "all_stats": {key: stats.to_dict() for key, stats in self.process_stats.all_stats.items()},
            "lag": self.process_stats.lag.to_dict(),
            "clock": (self.clock.reads, self.clock.fallbacks, self.clock.steps),
        }


def check_ways(data: bytes, sizes: list[int]) -> None:
    """Both ways end in the same."""
    choice = sum(sizes)
    end, limits, numbers = ENDS[choice % 3], LIMITS[choice // 3 % 2], NUMBERS[choice // 6 % 2]
    plans = [
        StreamPlan(name, REQUEST, SSE, read_end(end), limits, sequence=read_numbering(numbers)) for name in ("a", "b")
    ]
    worlds = [World(plans, transport) for transport in (PlainTransport, OtherTransport)]
    reads = [
        part[1:] if part.startswith(RAW) else in_chunk(part) for part in data.split(READ) if part not in (b"", RAW)
    ]
    for world in worlds:
        world.read([HEAD, HEAD], MS)
        for number, at in enumerate(range(0, len(reads), 2)):
            pause = sizes[number % len(sizes)] if sizes else 1
            world.read(reads[at : at + 2], 10 * MS + 100 * MS * pause)
            if pause % 4 == 3:
                world.run_timers()
        if choice % 2:
            world.read([b"", b""], MS)
        for exchange in world.exchanges:
            exchange.censor()
    fast, slow = [world.result() for world in worlds]
    assert fast == slow, f"{reads!r} led to {fast!r} by the fast path, and to {slow!r} without it"
