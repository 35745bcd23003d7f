"""The files that ``/stream/file/{name}`` offers: written anew at each start, always the same.

They have no name on the disk, so that nothing of them is left however the process ends.
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import IO

from target_app.prose import TEXT
from target_app.readings import CYCLE_READINGS, STATION, flow_m3s, level_m, temperature_c, time_text
from target_app.telemetry import frame

_BLOCK_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file holds."""

    media_type: str
    description: str
    size_bytes: int


KINDS: Mapping[str, Kind] = {
    "readings.csv": Kind("text/csv; charset=utf-8", "Quarter-hourly readings of the gauge", 4 << 20),
    "river.txt": Kind("text/plain; charset=utf-8", "An account of the river, over and over", 1 << 20),
    "telemetry.bin": Kind("application/octet-stream", "The gauge's binary telemetry", 8 << 20),
}


class Library:
    """The files, by name, as open descriptors, which processes forked from this one have too."""

    def __init__(self, descriptors: Mapping[str, int]) -> None:
        self._descriptors = descriptors

    def find(self, name: str) -> Path | None:
        """The file of that name, if there is one."""
        descriptor = self._descriptors.get(name)
        return None if descriptor is None else Path(f"/proc/self/fd/{descriptor}")


@contextmanager
def written() -> Iterator[Library]:
    """The files, for as long as this lasts; takes a moment, so never on the event loop."""
    with ExitStack() as stack:
        descriptors = {}
        for name, blocks in (("readings.csv", _csv()), ("river.txt", _text()), ("telemetry.bin", _telemetry())):
            file = stack.enter_context(tempfile.TemporaryFile())
            _fill(file, blocks, KINDS[name].size_bytes)
            descriptors[name] = file.fileno()
        yield Library(descriptors)


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


def _telemetry() -> Iterator[bytes]:
    for number in count():
        yield frame(number, _BLOCK_BYTES)
