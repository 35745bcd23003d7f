"""A paced HTTP source that logs every send: the truth that a client's figures are held against.

``GET /sse?chunks=N&interval_ms=M&bytes=B`` streams N events, one a transfer chunk, and ends with ``event: done``.
With ``cut=K`` it closes the connection in the middle of the chunk after the first K.
``GET /log`` gives what happened since the last call: how many connections carried a stream, and for each stream the
``time.monotonic_ns()`` of the moment before each send.
Standard library only; on one machine CLOCK_MONOTONIC is the same in every process.
"""

import argparse
import asyncio
import json
import time
from urllib.parse import parse_qsl, urlsplit


class Log:
    """What happened since the last look."""

    def __init__(self) -> None:
        self.connections = 0
        self.streams: list[list[int]] = []

    def take(self) -> bytes:
        """All of it as JSON, and start anew."""
        body = json.dumps({"connections": self.connections, "streams": self.streams}).encode()
        self.connections, self.streams = 0, []
        return body


LOG = Log()


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve the requests of one connection."""
    streams = 0
    try:
        while (line := await reader.readline()) and not writer.is_closing():
            while (await reader.readline()).strip():
                pass
            url = urlsplit(line.split()[1].decode())
            if url.path == "/log":
                body = LOG.take()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            else:
                LOG.connections += not streams
                streams += 1
                await stream(writer, {key: float(value) for key, value in parse_qsl(url.query)})
            await writer.drain()
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def stream(writer: asyncio.StreamWriter, knobs: dict[str, float]) -> None:
    """Send one stream, each event at its own moment on an absolute schedule."""
    chunks, interval_s = int(knobs.get("chunks", 50)), knobs.get("interval_ms", 50) / 1000
    cut = int(knobs.get("cut", chunks + 1))
    padding = "x" * max(0, int(knobs.get("bytes", 80)) - 20)
    log: list[int] = []
    LOG.streams.append(log)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    begin = time.monotonic()
    events = [f"data: {number:08d} {padding}\n\n" for number in range(chunks)]
    for number, event in enumerate([*events, "event: done\ndata: bye\n\n"]):
        await asyncio.sleep(begin + (number + 1) * interval_s - time.monotonic())
        framed = frame(event)
        if number == cut:
            writer.write(framed[: len(framed) // 2])
            writer.close()
            return
        if writer.is_closing():
            return
        log.append(time.monotonic_ns())
        writer.write(framed)
    writer.write(b"0\r\n\r\n")


def frame(event: str) -> bytes:
    """One event as one transfer chunk."""
    data = event.encode()
    return b"%x\r\n%b\r\n" % (len(data), data)


async def main() -> None:
    """Listen, print the port, and serve until the process is ended."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, default=0)
    server = await asyncio.start_server(serve, "127.0.0.1", options.parse_args().port, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
