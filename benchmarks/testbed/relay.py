"""A TCP relay that sends in batches: it keeps the server's data until its next turn, every ``--every-ms``.

Its first line of output is its port.
"""

import argparse
import asyncio


async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, every_s: float) -> None:
    """Pass data on every ``every_s`` seconds; at once if that is 0."""
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
            if every_s:
                await asyncio.sleep(every_s)
    except OSError:
        pass
    finally:
        writer.close()


async def main() -> None:
    """Relay until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=int, required=True, help="port of the server")
    parser.add_argument("--every-ms", type=float, default=100)
    options = parser.parse_args()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection("127.0.0.1", options.to)
        await asyncio.gather(
            forward(reader, to_server, 0), forward(from_server, writer, options.every_ms / 1000), return_exceptions=True
        )

    server = await asyncio.start_server(relay, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
