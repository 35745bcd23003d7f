"""The files of ``/stream/file/{name}``: written at each start, always with the same content.

They have no name on the disk, so that nothing is left however the process ends.
"""

import asyncio
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import IO

from anyio import to_thread

from target_app.binary_frames import frame
from target_app.readings import CYCLE_READINGS, STATION, flow_m3s, level_m, temperature_c, time_text
from target_app.sample_text import TEXT

_BLOCK_BYTES = 65536


@dataclass(frozen=True, slots=True)
class FileInfo:
    """What a file contains."""

    media_type: str
    description: str
    size_bytes: int


FILES: Mapping[str, FileInfo] = {
    "readings.csv": FileInfo("text/csv; charset=utf-8", "Quarter-hourly readings of the gauge", 4 << 20),
    "river.txt": FileInfo("text/plain; charset=utf-8", "A description of the river, repeated", 1 << 20),
    "telemetry.bin": FileInfo("application/octet-stream", "Readings as binary frames", 8 << 20),
}


class SampleFiles:
    """The files by name, as open descriptors, which forked processes inherit."""

    def __init__(self, descriptors: Mapping[str, int]) -> None:
        self._descriptors = descriptors

    def find(self, name: str) -> Path | None:
        """Find the file of that name, if there is one."""
        descriptor = self._descriptors.get(name)
        return None if descriptor is None else Path(f"/proc/self/fd/{descriptor}")


@contextmanager
def make_sample_files() -> Iterator[SampleFiles]:
    """Write the files, which exist until the context ends; too slow for the event loop."""
    with ExitStack() as stack:
        descriptors = {}
        for name, blocks in (("readings.csv", _csv()), ("river.txt", _text()), ("telemetry.bin", _frames())):
            file = stack.enter_context(tempfile.TemporaryFile())
            _fill(file, blocks, FILES[name].size_bytes)
            descriptors[name] = file.fileno()
        yield SampleFiles(descriptors)


class FileShelf:
    """The sample files of one app: those that were ``given``, else its own, written before they are first used."""

    def __init__(self, given: SampleFiles | None) -> None:
        self._given = given
        self._files = given
        self._own = ExitStack()
        self._writing = asyncio.Lock()

    async def open(self) -> SampleFiles:
        """Return the files. Writing them does not block the event loop."""
        if self._files is None:
            async with self._writing:
                if self._files is None:
                    self._files = await to_thread.run_sync(self._own.enter_context, make_sample_files())
        return self._files

    def close(self) -> None:
        """Remove the app's own files."""
        self._files = self._given
        self._own.close()


def _fill(file: IO[bytes], blocks: Iterator[bytes], size_bytes: int) -> None:
    left = size_bytes
    while left:
        left -= file.write(next(blocks)[:left])
    file.flush()


def _csv() -> Iterator[bytes]:
    yield b"time,station,level_m,flow_m3s,temperature_c\r\n"
    cycle = range(CYCLE_READINGS)
    values = [
        f",{STATION},{level_m(n):.3f},{flow_m3s(n):.2f},{temperature_c(n):.1f}\r\n".encode("ascii") for n in cycle
    ]
    for first in count(0, CYCLE_READINGS):
        yield b"".join(time_text(first + n) + values[n] for n in cycle)


def _text() -> Iterator[bytes]:
    block = TEXT.encode("ascii")
    while True:
        yield block


def _frames() -> Iterator[bytes]:
    for number in count():
        yield frame(number, _BLOCK_BYTES)
