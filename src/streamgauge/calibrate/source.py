"""A paced HTTP source that logs every send; a client's figures are compared with that log.

``GET /sse?chunks=N&interval_ms=M&bytes=B`` streams N events, one per transfer chunk, and ends with ``event: done``.
With ``cut=K`` it closes the connection in the middle of the chunk after the first K; with ``burst=K`` it sends K events
back to back, and then waits K intervals; with ``jitter=J`` each wait varies by up to this share of itself;
with ``end_ms=E`` the closing framing of the body follows E ms after the last event.
``GET /log`` returns what happened since the last call: how many connections carried a stream, and for each stream the
``time.monotonic_ns()`` just before each send. ``GET /log?sent=1`` adds, for each stream, the times just after each
send, when the request arrived, and the start of the stream as the client gave it in ``X-Stream-Start``.
Standard library only; on one machine CLOCK_MONOTONIC is the same in every process.
"""

import argparse
import asyncio
import json
import random
import sys
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

#: The client's ``time.monotonic_ns()`` at the start of the stream.
START_FIELD = "X-Stream-Start"
STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
TERMINATOR = b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Request:
    """One request; times are monotonic ns."""

    path: str
    knobs: dict[str, str]
    asked_ns: int
    start_ns: int | None
    """The start of the stream, if the client gave it."""
    body: bytes = b""


@dataclass(slots=True)
class Sent:
    """One stream; all times are monotonic ns."""

    start_ns: int | None
    asked_ns: int
    before_ns: list[int] = field(default_factory=list)
    after_ns: list[int] = field(default_factory=list)


class Log:
    """The streams and connections since the last call of ``take``."""

    def __init__(self) -> None:
        self.connections = 0
        self.streams: list[Sent] = []

    def take(self, *, sent: bool) -> dict[str, object]:
        """Return all of it and start again."""
        found: dict[str, object] = {
            "connections": self.connections,
            "streams": [each.before_ns for each in self.streams],
        }
        if sent:
            found["sent"] = [[each.start_ns, each.asked_ns, each.after_ns] for each in self.streams]
        self.connections, self.streams = 0, []
        return found


class Source:
    """The server. A subclass may answer further requests."""

    def __init__(self) -> None:
        self._log = Log()
        self._counted: set[asyncio.StreamWriter] = set()

    async def listen(self, port: int = 0) -> None:
        """Listen, print the port, and serve until the process is ended."""
        server = await asyncio.start_server(self.serve, "127.0.0.1", port, backlog=4096)
        sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
        sys.stdout.flush()
        await server.serve_forever()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve the requests of one connection."""
        try:
            while (request := await _request(reader)) and not writer.is_closing():
                await self.answer(request, writer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._counted.discard(writer)
            writer.close()

    async def answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        if request.path == "/log":
            reply(writer, self._log.take(sent="sent" in request.knobs))
            return
        self._log.connections += writer not in self._counted
        self._counted.add(writer)
        self._log.streams.append(Sent(request.start_ns, request.asked_ns))
        await stream(writer, {key: float(value) for key, value in request.knobs.items()}, self._log.streams[-1])


async def _request(reader: asyncio.StreamReader) -> Request | None:
    """Read a request; return None if the client has closed the connection."""
    if not (line := await reader.readline()):
        return None
    asked_ns, numbers = time.monotonic_ns(), {}
    while field_line := (await reader.readline()).strip():
        name, _, value = field_line.partition(b":")
        if value.strip().isdigit():
            numbers[name.lower().decode()] = int(value)
    body = await reader.readexactly(numbers.get("content-length", 0))
    url = urlsplit(line.split()[1].decode())
    return Request(url.path, dict(parse_qsl(url.query)), asked_ns, numbers.get(START_FIELD.lower()), body)


def reply(writer: asyncio.StreamWriter, answer: object, status: str = "200 OK") -> None:
    """Answer with a JSON text."""
    body = json.dumps(answer).encode()
    writer.write(b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status.encode(), len(body), body))


async def stream(writer: asyncio.StreamWriter, knobs: dict[str, float], log: Sent) -> None:
    """Send one stream, each event at its own time on an absolute schedule."""
    chunks, interval_s = int(knobs.get("chunks", 50)), knobs.get("interval_ms", 50) / 1000
    cut, burst = int(knobs.get("cut", chunks + 1)), max(1, int(knobs.get("burst", 1)))
    jitter_s = knobs.get("jitter", 0.0) * interval_s * burst
    padding = "x" * max(0, int(knobs.get("bytes", 80)) - 20)
    writer.write(STREAM_HEAD)
    begin = time.monotonic()
    events = [f"data: {number:08d} {padding}\n\n" for number in range(chunks)]
    for number, event in enumerate([*events, "event: done\ndata: bye\n\n"]):
        if number % burst == 0:
            moment = begin + (number + burst) * interval_s + random.uniform(-jitter_s, jitter_s) / 2
            await asyncio.sleep(moment - time.monotonic())
        framed = frame(event.encode())
        if number == cut:
            writer.write(framed[: len(framed) // 2])
            writer.close()
            return
        if writer.is_closing():
            return
        log.before_ns.append(time.monotonic_ns())
        writer.write(framed)
        log.after_ns.append(time.monotonic_ns())
    if end_s := knobs.get("end_ms", 0) / 1000:
        await asyncio.sleep(end_s)
    writer.write(TERMINATOR)


def frame(data: bytes) -> bytes:
    """Make one transfer chunk of ``data``."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def main() -> None:
    """Listen on the port that the options name."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, default=0)
    asyncio.run(Source().listen(options.parse_args().port))


if __name__ == "__main__":
    main()
