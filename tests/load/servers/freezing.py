"""A server of short event streams that stands still once. Arguments: when after its first request, and for how long.

It prints its port.
"""

import asyncio
import contextlib
import sys
import time

AFTER_S, FOR_S = map(float, sys.argv[1:])
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENTS = (b"data: x\n\n", b"event: done\ndata: x\n\n", b"")
STREAM = HEAD + b"".join(b"%x\r\n%b\r\n" % (len(event), event) for event in EVENTS)
first: list[float] = []


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while await reader.readuntil(b"\r\n\r\n"):
            if not first:
                first.append(time.monotonic())
                asyncio.get_running_loop().call_later(AFTER_S, time.sleep, FOR_S)
            writer.write(STREAM)
    writer.close()


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


asyncio.run(main())
