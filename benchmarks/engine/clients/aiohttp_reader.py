"""Reads with aiohttp: cuts the data of ``iter_any`` into events; ``--uvloop`` selects the faster event loop."""

import argparse
import asyncio
import time
from array import array

import aiohttp

from benchmarks.engine.clients import orders


async def read(session: aiohttp.ClientSession, number: int, arrivals: "array[int]") -> None:
    """Read one stream."""
    note, now_ns = arrivals.append, time.monotonic_ns
    rest = b""
    async with session.get(orders.url() + orders.path(number)) as response:
        async for data in response.content.iter_any():
            *events, rest = (rest + data).split(b"\n\n")
            for _ in events:
                note(now_ns())


async def read_all() -> None:
    """Read all streams at once."""
    seen = orders.arrivals()
    no_limit = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=no_limit) as session:
        await asyncio.gather(*(read(session, number, arrivals) for number, arrivals in seen.items()))
    orders.write(seen)


def main() -> None:
    """Read on the event loop that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uvloop", action="store_true")
    if parser.parse_args().uvloop:
        import uvloop

        uvloop.run(read_all())
    else:
        asyncio.run(read_all())


if __name__ == "__main__":
    main()
