"""Serves streams that end in every way: ``python endings.py CERTIFICATE``. Says where, in one line of JSON.

It runs in a process of its own, so that what the client's process holds is the client's alone.
"""

import asyncio
import contextlib
import json
import os
import socket
import ssl
import struct
import sys
from collections.abc import Awaitable, Callable

from wsproto.utilities import generate_accept_token

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
ON, RESET = "stay open", "reset"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


EVENT = chunk(b"data: 1\n\n")
#: What is sent for a path, and what becomes of the connection: it ends unless it says otherwise.
ANSWERS: dict[str, tuple[bytes | str, ...]] = {
    "/completed": (CHUNKED + 3 * EVENT + END, ON),
    "/closed": (HEAD + b"\r\ndata: 1\n\n",),
    "/truncated": (CHUNKED + EVENT,),
    "/reset": (CHUNKED + EVENT, RESET),
    "/nothing": (),
    "/silent": (ON,),
    "/head": (CHUNKED, ON),
    "/quiet": (CHUNKED + EVENT, ON),
    "/refused": (b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", ON),
    "/other": (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n", ON),
    "/wrong": (CHUNKED + EVENT + b"zz\r\n", ON),
    "/failed": (CHUNKED + chunk(b"event: error\ndata: broken\n\n"), ON),
    "/redirect": (b"HTTP/1.1 302 Found\r\nLocation: /completed\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\n\r\n", ON),
    "/cookies": (CHUNKED[:-2] + b"Set-Cookie: a=1\r\nSet-Cookie: b=2; Max-Age=0\r\n\r\n" + EVENT + END, ON),
    "/again": (CHUNKED + chunk(b"retry: 1\nid: 1\ndata: 1\n\n"),),
    "/later": (CHUNKED + chunk(b"retry: 100000\ndata: 1\n\n"),),
}


class Service:
    """Plays the answers. ``there`` is the port that a proxy and a redirect lead to."""

    def __init__(self) -> None:
        self.there = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while await self._answer(reader, writer):
                pass
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        method, target = head.decode().split()[:2]
        if method == "CONNECT":
            await _tunnel(int(target.rpartition(":")[2]), reader, writer)
            return False
        path = "/" + target.partition("://")[2].partition("/")[2] if "://" in target else target
        if path == "/websocket":
            await self._websocket(head, reader, writer)
            return False
        if path == "/elsewhere":
            where = b"http://localhost:%d/completed" % self.there
            writer.write(b"HTTP/1.1 307 There\r\nContent-Length: 0\r\nLocation: %b\r\n\r\n" % where)
            return True
        if path == "/drip":
            writer.write(CHUNKED)
            while True:
                writer.write(EVENT)
                await writer.drain()
                await asyncio.sleep(0.002)
        open_still = False
        for step in ANSWERS[path]:
            if isinstance(step, bytes):
                writer.write(step)
            elif step == RESET:
                await asyncio.sleep(0.002)
                sock = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                open_still = True
        await writer.drain()
        return open_still

    async def _websocket(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        key = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
        accept = generate_accept_token(key.partition(b":")[2].strip())
        writer.write(b"HTTP/1.1 101 On\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
        writer.write(b"Sec-WebSocket-Accept: %b\r\n\r\n\x81\x011\x81\x012\x88\x02\x03\xe8" % accept)
        await reader.read(1)


async def _tunnel(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    back, there = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
    await asyncio.gather(_pump(reader, there), _pump(back, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def listen(serve: Callable[..., Awaitable[None]], context: ssl.SSLContext | None = None) -> int:
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context, backlog=512)
    port: int = server.sockets[0].getsockname()[1]
    return port


async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take a connection, and say nothing on it until it ends."""
    with contextlib.suppress(OSError):
        await reader.read()
    writer.close()


async def main() -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(sys.argv[1])
    service = Service()
    service.there = await listen(service.serve)
    ports = {"http": service.there, "tls": await listen(service.serve, context), "deaf": await listen(deaf)}
    ports["proxy"] = await listen(service.serve)
    print(json.dumps(ports), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    os._exit(0)  # whatever streams under way would say of their end


if __name__ == "__main__":
    asyncio.run(main())
