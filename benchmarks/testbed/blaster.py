"""The paced source whose streams send on command, fast enough that the client is the limit and not the source.

Streams open with ``GET /sse?stream=ID``: the source sends the head at once, and then nothing until a command.

``GET /state`` returns how many streams are open.
``GET /send?chunks=K&rate=R`` sends K events on each stream, R per second over all streams, by an absolute schedule;
with ``end=1`` the K-th event is ``event: done`` and ends its stream. The response is the log of these sends.

Each event is one transfer chunk, made before the first send, and has its number within its stream. The log has
``time.monotonic_ns()`` right before each send. While it sends, the source does nothing else.
"""

import argparse
import asyncio
import ctypes
import gc
import select
import socket
import sys
import time
from array import array
from collections.abc import Sequence
from typing import Any

from streamgauge.calibrate.source import STREAM_HEAD, TERMINATOR, Request, Source, frame, reply

#: Time from the command to the first send.
LEAD_NS = 10_000_000
#: The source gives up if a client leaves no room in a socket for this long.
PATIENCE_S = 20.0
_PR_SET_TIMERSLACK = 29


def framed(number: int, size_bytes: int, last: bool) -> bytes:
    """Make one event as one transfer chunk of at least ``size_bytes``; its number is in its data and its id."""
    name = "event: done\n" if last else ""
    fields = f"{name}data: {number:08d} \nid: {number}\n\n"
    padding = "x" * max(0, size_bytes - len(fields))
    return frame(fields.replace(" \n", f" {padding}\n", 1).encode())


class Stream:
    """One stream: a socket beside asyncio's, which sends at once."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM_HEAD)
        self.sock: socket.socket = writer.get_extra_info("socket").dup()
        self.sent_bytes = len(STREAM_HEAD)
        self.open = True

    def finish(self, rest: bytes) -> int:
        """Send the rest of a chunk that found no room; return how often the client left none. The stream may close."""
        waits, view = 1, memoryview(rest)
        try:
            while view:
                self._await_room()
                view = view[self.sock.send(view) :]
                waits += bool(view)
        except OSError:
            self.open = False
        return waits

    def _await_room(self) -> None:
        room = select.poll()
        room.register(self.sock, select.POLLOUT)
        if not room.poll(PATIENCE_S * 1000):
            raise TimeoutError(f"the client left no room in a socket for {PATIENCE_S:g} s")


class Blaster(Source):
    """The source: the streams by their ids, and how many events each has had."""

    def __init__(self, event_bytes: int) -> None:
        super().__init__()
        self._event_bytes = event_bytes
        self._streams: dict[int, Stream] = {}
        self._number = 0

    async def answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        """Open a stream, or execute the command."""
        knobs = request.knobs
        try:
            if "stream" in knobs:
                self._streams[int(knobs["stream"])] = Stream(writer)
            elif request.path == "/state":
                reply(writer, {"open": len(self._streams)})
            elif request.path == "/send":
                reply(writer, self._send(int(knobs["chunks"]), float(knobs["rate"]), "end" in knobs))
            else:
                await super().answer(request, writer)
        except (KeyError, ValueError, ZeroDivisionError) as error:
            reply(writer, {"error": repr(error)}, "400 Bad Request")

    def _send(self, chunks: int, rate_s: float, end: bool) -> dict[str, Any]:
        numbers = range(self._number, self._number + chunks)
        payloads = [framed(number, self._event_bytes, end and number == numbers[-1]) for number in numbers]
        names = sorted(self._streams)
        streams = [self._streams[name] for name in names]
        gc.collect()
        gc.freeze()
        period_ns = 1e9 / rate_s
        begin_ns = time.monotonic_ns() + LEAD_NS
        stamps_ns, waits = blast(streams, payloads, begin_ns, period_ns)
        self._number = 0 if end else numbers.stop
        log = {
            "streams": {name: stamps_ns[at :: len(names)].tolist() for at, name in enumerate(names)},
            "late_ns": lateness(stamps_ns, begin_ns, period_ns),
            "took_ns": time.monotonic_ns() - begin_ns,
            "blocked": waits,
            "lost": [name for name, each in zip(names, streams, strict=True) if not each.open],
        }
        if end:
            self._end()
        return log | {"sent_bytes": {name: each.sent_bytes for name, each in zip(names, streams, strict=True)}}

    def _end(self) -> None:
        for stream in self._streams.values():
            if stream.open:
                stream.finish(TERMINATOR)
                stream.sent_bytes += len(TERMINATOR)
            stream.sock.close()
        self._streams = {}


def blast(
    streams: Sequence[Stream], payloads: Sequence[bytes], begin_ns: int, period_ns: float
) -> tuple["array[int]", int]:
    """Send each payload on each stream, by the schedule. Return when each was sent, in order, and how many waits."""
    stamps_ns = array("q", bytes(8 * len(payloads) * len(streams)))
    senders = [(each, each.sock.send) for each in streams]
    now_ns, sleep = time.monotonic_ns, time.sleep
    position = waits = 0
    for payload in payloads:
        size = len(payload)
        for stream, send in senders:
            wait_ns = begin_ns + int(position * period_ns) - now_ns()
            if wait_ns > 0:
                sleep(wait_ns / 1e9)
            stamps_ns[position] = now_ns()
            try:
                sent = send(payload)
            except BlockingIOError:
                sent = 0
            except OSError:
                stream.open, sent = False, size
            if sent != size and stream.open:
                waits += stream.finish(payload[sent:])
            position += 1
        for stream in streams:
            stream.sent_bytes += size
    return stamps_ns, waits


def lateness(stamps_ns: Sequence[int], begin_ns: int, period_ns: float) -> dict[str, int]:
    """Return how late the sends were: median, p99 and maximum, in ns."""
    late_ns = sorted(stamp_ns - begin_ns - int(at * period_ns) for at, stamp_ns in enumerate(stamps_ns))
    if not late_ns:
        return {}
    return {"p50": late_ns[len(late_ns) // 2], "p99": late_ns[len(late_ns) * 99 // 100], "max": late_ns[-1]}


def sleep_precisely() -> None:
    """Let the kernel wake this process at the moment asked for, not up to 50 µs later. Linux; elsewhere nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1_000, 0, 0, 0)


def main() -> None:
    """Listen, print the port, and serve until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--event-bytes", type=int, default=100)
    blaster = Blaster(parser.parse_args().event_bytes)
    sleep_precisely()
    gc.disable()
    asyncio.run(blaster.listen())


if __name__ == "__main__":
    main()
