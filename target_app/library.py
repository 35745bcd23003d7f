"""The files that ``/stream/file/{name}`` offers: written anew at each start, always the same."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

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
    """The files in ``folder``. A name is looked up, never joined to a path, so none can lead elsewhere."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self) -> None:
        """Write every file; takes a moment, so never on the event loop."""
        for name, blocks in (("readings.csv", _csv()), ("river.txt", _text()), ("telemetry.bin", _telemetry())):
            _fill(self._folder / name, blocks, KINDS[name].size_bytes)

    def find(self, name: str) -> Path | None:
        """The file of that name, if there is one."""
        return self._folder / name if name in KINDS else None


@contextmanager
def written() -> Iterator[Library]:
    """The files in a folder of their own, for as long as this lasts; takes a moment, so never on the event loop."""
    with tempfile.TemporaryDirectory(prefix="target_app-") as folder:
        library = Library(Path(folder))
        library.write()
        yield library


def _fill(path: Path, blocks: Iterator[bytes], size_bytes: int) -> None:
    left = size_bytes
    with path.open("wb") as file:
        while left:
            left -= file.write(next(blocks)[:left])


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
