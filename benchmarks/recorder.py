"""Measures the cost of the server's instruments: an app without any, with streamgauge's, and with two simpler ones.

The two simpler ones do not time chunks. All services run at once and are read in turn, in a random order in each round,
so that other activity on the machine affects all; ratios are of one round. A process keeps some luck for as long as it
runs, such as where its memory lies, so all services are started several times, in a random order too. CPU time per
chunk is that of all worker processes, and the steadier figure: chunks per second depend on server and reader, which
share the machine's cores.
"""

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import psutil
from rich.console import Console

from benchmarks import recorder_tables
from benchmarks.testbed import machine
from benchmarks.testbed.options import add_output, whole, write_figures
from benchmarks.testbed.server import ROOT, Server
from benchmarks.testbed.service import BARE, INSTRUMENTS, OURS
from benchmarks.testbed.service.app import coded_bytes
from benchmarks.testbed.service.reading import ReadingError, read_all

SCHEMA = "streamgauge.benchmark.recorder/1"
PACKAGES = (OURS, *INSTRUMENTS[2:], "prometheus-client", "fastapi", "starlette", "uvicorn", "uvloop", "httptools")
_START_LIMIT_S = 60

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Load:
    """The streams of one trial: ``streams`` at once, with ``chunks`` chunks each."""

    name: str
    path: str
    streams: int
    chunks: int
    interval_ms: int = 0
    parameters: str = ""
    coded_bytes: int | None = None
    """The size of each body with its transfer coding; None if all that is known is that bodies are alike."""

    @property
    def url_path(self) -> str:
        """Return the path with its parameters."""
        return f"/{self.path}?chunks={self.chunks}&interval_ms={self.interval_ms}{self.parameters}"


def loads(chunks: int) -> list[Load]:
    """Return the loads, each with ``chunks`` chunks over all streams."""
    return [
        _coded("pre-encoded, as fast as it goes", "fast", 8, max(1, chunks // 8)),
        _coded("each event encoded, as fast as it goes", "encoding", 8, max(1, chunks // 16)),
        _coded("pre-encoded, 100 streams, every 10 ms", "fast", 100, max(1, chunks // 1000), 10),
    ]


def _coded(name: str, path: str, streams: int, chunks: int, interval_ms: int = 0) -> Load:
    return Load(name, path, streams, chunks, interval_ms, coded_bytes=coded_bytes(chunks))


def sample_load(chunks: int) -> Load:
    """Return the load on the sample app: its smallest events, unpaced."""
    return Load("the sample app, as fast as it goes", "stream/sse", 4, max(1, chunks // 4), 0, "&chunk_bytes=1")


class Service:
    """A running service and its processes."""

    def __init__(self, url: str, pid: int, workers: int) -> None:
        self.port = int(url.rpartition(":")[2])
        self._parent = psutil.Process(pid)
        limit_s = time.monotonic() + _START_LIMIT_S
        while workers > 1 and len(self._parent.children()) < workers:
            if time.monotonic() > limit_s:
                raise ReadingError(f"expected {workers} workers within {_START_LIMIT_S} s")
            time.sleep(0.05)
        self._pids = [process.pid for process in (self._parent, *self._parent.children())]

    def trial(self, load: Load) -> dict[str, float]:
        """Read ``load`` once. Raises ReadingError if chunks are missing."""
        before_ns, begin_s = self._cpu_ns(), time.perf_counter()
        read_all(self.port, load.url_path, load.streams, load.coded_bytes)
        took_s, chunks = time.perf_counter() - begin_s, load.streams * load.chunks
        return {"cpu_s_per_chunk": (self._cpu_ns() - before_ns) / chunks / 1e9, "chunks_per_s": chunks / took_s}

    def _cpu_ns(self) -> int:
        return sum(map(machine.cpu_ns, self._pids))


def shuffled(names: Sequence[str]) -> list[str]:
    """Return the names in a random order."""
    return random.sample(names, len(names))


@contextmanager
def services(workers: int) -> Iterator[dict[str, Service]]:
    """Run one service for each instrument, started in a random order."""
    with _running({name: ("benchmarks.testbed.service", name, str(workers)) for name in INSTRUMENTS}, workers) as found:
        yield found


@contextmanager
def samples() -> Iterator[dict[str, Service]]:
    """Run the sample app with the middleware and without it, started in a random order."""
    with _running({name: ("benchmarks.testbed.service.sample", name) for name in (BARE, OURS)}, 1) as found:
        yield found


@contextmanager
def _running(modules: dict[str, tuple[str, ...]], workers: int) -> Iterator[dict[str, Service]]:
    with ExitStack() as running:
        found = {}
        for name in shuffled([*modules]):
            server = running.enter_context(Server(sys.executable, "-m", *modules[name]))
            found[name] = Service(server.url, server.pid, workers)
        yield {name: found[name] for name in modules}


def rounds(running: dict[str, Service], load: Load, count: int, say: Say) -> list[dict[str, Any]]:
    """Try each service ``count`` times, in a random order in each round. A first round warms up and is dropped."""
    found = []
    for number in range(count + 1):
        say(f"{load.name}, round {number} of {count}")
        tried = {name: running[name].trial(load) for name in shuffled([*running])}
        found.append({name: tried[name] for name in running})
    return found[1:]


def natively(bare: Service, chunks: int, count: int, say: Say) -> list[dict[str, Any]]:
    """Read the same content pre-encoded and in FastAPI's native form, in turn."""
    forms = {form: _coded(form, form, 4, max(1, chunks // 40)) for form in ("native", "encoding", "fast")}
    found = []
    for number in range(count + 1):
        say(f"native form, round {number} of {count}")
        found.append({form: bare.trial(load) for form, load in forms.items()})
    return found[1:]


def alone(count: int, say: Say) -> dict[str, Any]:
    """Measure CPU time per chunk in ns without the kernel: by content and app, and of the recorder alone."""
    say("the middleware alone")
    command = [sys.executable, "-m", "benchmarks.testbed.service.alone", str(4 * count), "10000"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=600)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def header(options: argparse.Namespace) -> dict[str, Any]:
    """Return the facts about the benchmark and the machine."""
    return {
        "schema": SCHEMA,
        "benchmark": "recorder",
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "options": {name: getattr(options, name) for name in ("starts", "rounds", "chunks", "workers")},
        "machine": machine.facts(),
        "versions": {name: version(name) for name in PACKAGES},
    }


def measured(options: argparse.Namespace, say: Say) -> dict[str, Any]:
    """Return all rounds."""
    chosen, sample = loads(options.chunks), sample_load(options.chunks)
    found: dict[tuple[str, int], list[dict[str, Any]]] = {}
    native: list[dict[str, Any]] = []
    for start in range(options.starts):
        for workers in options.workers:
            with services(workers) as running:
                for load in chosen:
                    tried = rounds(running, load, options.rounds, _at(start, say))
                    found.setdefault((load.name, workers), []).extend(tried)
                native = native or natively(running[BARE], options.chunks, options.rounds, say)
        with samples() as running:
            found.setdefault((sample.name, 1), []).extend(rounds(running, sample, options.rounds, _at(start, say)))
    served = [{"load": name, "workers": workers, "rounds": each} for (name, workers), each in found.items()]
    return {"alone": alone(options.rounds, say), "served": served, "native": native}


def _at(start: int, say: Say) -> Say:
    return lambda text: say(f"start {start + 1}: {text}")


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """Parse the options. Exits with status 2 if one is wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks recorder", description=__doc__)
    parser.add_argument("--starts", type=whole, default=6, help="starts of all services, default %(default)s")
    parser.add_argument("--rounds", type=whole, default=5, help="rounds after each start, default %(default)s")
    parser.add_argument("--chunks", type=whole, default=100_000, help="chunks per trial, default %(default)s")
    parser.add_argument(
        "--workers", type=_counts, default="1,2", metavar="N,N…", help="numbers of workers, default %(default)s"
    )
    add_output(parser)
    options = parser.parse_args(arguments)
    if not machine.supported():
        parser.error(f"this benchmark needs Linux's CPU clocks, got {sys.platform}")
    return options


def _counts(text: str) -> list[int]:
    return [whole(part) for part in text.split(",")]


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark, print its tables and write its figures; return 1 if a stream was incomplete."""
    options, console = parsed(arguments), Console(stderr=True)
    report = header(options)
    try:
        with console.status("starting") as status:
            report |= measured(options, lambda text: status.update(text))
    except (ReadingError, OSError) as error:
        console.print(f"benchmark ended: {error}", markup=False)
        return 1
    report["machine"]["load_average_at_end"] = machine.facts()["load_average"]
    report["summary"] = recorder_tables.summary_of(report)
    recorder_tables.show(report)
    write_figures(options, report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
