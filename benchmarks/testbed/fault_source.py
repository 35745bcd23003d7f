"""A source that misbehaves on request: ``GET /BEHAVIOUR?seed=N`` plays one of ``benchmarks.testbed.behaviours``."""

import asyncio
import random
import socket
import struct
from contextlib import suppress
from urllib.parse import parse_qsl, urlsplit

from benchmarks.testbed.behaviours import script_of


class Connection:
    """One connection, and the scripts that are played on it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def serve(self) -> None:
        """Answer requests until either side closes."""
        with suppress(OSError, asyncio.IncompleteReadError):
            while await self._answer():
                pass
        self._writer.close()

    async def _answer(self) -> bool:
        head = await self._reader.readuntil(b"\r\n\r\n")
        url = urlsplit(head.split()[1].decode())
        name, seed = url.path.removeprefix("/"), int(dict(parse_qsl(url.query))["seed"])
        rng = random.Random(seed)
        for step in script_of(name, seed):
            if isinstance(step, bytes):
                await self._send(step, rng)
            elif isinstance(step, float):
                await asyncio.sleep(step)
            else:
                await self._close(step)
                return False
        return True

    async def _send(self, data: bytes, rng: random.Random) -> None:
        """Send in one write, or in several with pauses between them, cut anywhere."""
        if rng.random() < 0.3 and len(data) > 1:
            for _ in range(rng.randint(1, 3)):
                at = rng.randint(0, len(data))
                self._writer.write(data[:at])
                await self._writer.drain()
                await asyncio.sleep(0.002)
                data = data[at:]
        self._writer.write(data)
        await self._writer.drain()

    async def _close(self, how: str) -> None:
        if how == "hang":
            await self._reader.read()  # until the client disconnects
        if how == "rst":
            sock: socket.socket = self._writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def main() -> None:
    """Listen, print the port, and serve until the process is ended."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await Connection(reader, writer).serve()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
