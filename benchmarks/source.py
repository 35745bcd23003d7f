"""A paced HTTP source that logs every send: the truth that a client's figures are held against.

``GET /sse?chunks=N&interval_ms=M&bytes=B`` streams N events, one a transfer chunk, and ends with ``event: done``.
``GET /log`` gives, for each stream since the last call, the ``time.monotonic_ns()`` of the moment before each send.
Standard library only; on one machine CLOCK_MONOTONIC is the same in every process.
"""

import argparse
import asyncio
import json
import time
from urllib.parse import parse_qsl, urlsplit

LOGS: list[list[int]] = []


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve the requests of one connection."""
    try:
        while line := await reader.readline():
            while (await reader.readline()).strip():
                pass
            url = urlsplit(line.split()[1].decode())
            if url.path == "/log":
                body = json.dumps(LOGS).encode()
                LOGS.clear()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            else:
                await stream(writer, {key: float(value) for key, value in parse_qsl(url.query)})
            await writer.drain()
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def stream(writer: asyncio.StreamWriter, knobs: dict[str, float]) -> None:
    """Send one stream, each event at its own moment on an absolute schedule."""
    chunks, interval_s = int(knobs.get("chunks", 50)), knobs.get("interval_ms", 50) / 1000
    padding = "x" * max(0, int(knobs.get("bytes", 80)) - 20)
    log: list[int] = []
    LOGS.append(log)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    begin = time.monotonic()
    for number in range(chunks):
        await asyncio.sleep(begin + (number + 1) * interval_s - time.monotonic())
        send(writer, f"data: {number:08d} {padding}\n\n", log)
    await asyncio.sleep(begin + (chunks + 1) * interval_s - time.monotonic())
    send(writer, "event: done\ndata: bye\n\n", log)
    writer.write(b"0\r\n\r\n")


def send(writer: asyncio.StreamWriter, event: str, log: list[int]) -> None:
    """Write one event as one transfer chunk, and log when."""
    data = event.encode()
    framed = b"%x\r\n%b\r\n" % (len(data), data)
    log.append(time.monotonic_ns())
    writer.write(framed)


async def main() -> None:
    """Listen, print the port, and serve until the process is ended."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, default=0)
    server = await asyncio.start_server(serve, "127.0.0.1", options.parse_args().port, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
