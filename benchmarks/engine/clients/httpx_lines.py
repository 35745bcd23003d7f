"""Reads with httpx: lines of an asynchronous client."""

import asyncio
import time
from array import array

import httpx

from benchmarks.engine.clients import orders


async def read(client: httpx.AsyncClient, number: int, arrivals: "array[int]") -> None:
    """Read one stream."""
    note, now_ns = arrivals.append, time.monotonic_ns
    async with client.stream("GET", orders.url() + orders.path(number)) as response:
        async for line in response.aiter_lines():
            if line[:5] == "data:":
                note(now_ns())


async def main() -> None:
    """Read all streams at once."""
    seen = orders.arrivals()
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(limits=limits, timeout=None, trust_env=False) as client:
        await asyncio.gather(*(read(client, number, arrivals) for number, arrivals in seen.items()))
    orders.write(seen)


if __name__ == "__main__":
    asyncio.run(main())
