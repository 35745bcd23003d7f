"""Compares the chunk interval in a server's own log with what streamgauge and Locust's own clients measure.

The clients run one after the other, under the same load, each in its own process. Each is compared with the log of its
own run, so other activity on the machine affects both.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.readers.stopwatch import FILE_VARIABLE, PATH_VARIABLE
from benchmarks.testbed.options import add_output, positive, whole, write_figures
from benchmarks.testbed.server import ROOT, Log, Server, quantile_s
from streamgauge.calibrate.truth import Truth, chunk_interval, fetch
from streamgauge.runner.finished_run import run_locust

READERS = Path(__file__).parent / "readers"
QUANTILES = {"p50": 0.5, "p99": 0.99}
#: Chunks in each stream, without the last one, which ends it.
CHUNKS = 40
#: Streams under way at the end get this much time, so that each is read to its end.
DRAIN_S = 30
_UNKNOWN = Truth(float("nan"), float("nan"), float("nan"))

Seen = tuple[int, int, dict[str, float]]


@dataclass(frozen=True, slots=True)
class Load:
    """The load on every instrument."""

    streams: int
    seconds: float
    interval_ms: float

    @property
    def path(self) -> str:
        """Return the source's path."""
        return f"/sse?chunks={CHUNKS}&interval_ms={self.interval_ms:g}"

    def options(self, url: str) -> list[object]:
        """Return Locust's options."""
        users = ("-u", self.streams, "-r", min(self.streams, 100), "-t", f"{self.seconds:g}s")
        return ["--headless", "--only-summary", "-H", url, *users, "--stop-timeout", DRAIN_S]


def by_streamgauge(load: Load, url: str, directory: Path) -> Seen:
    """Measure streams, chunks and percentiles with ``loadtests/sse.py``."""
    options = ("--stream-path", load.path, "--stream-end", "event:done")
    run = run_locust(
        "loadtests/sse.py", *load.options(url), *options, result_dir=directory, timeout_s=_limit_s(load), cwd=ROOT
    )
    if not run.results:
        raise RuntimeError(f"streamgauge wrote no result:\n{run.output}")
    interval: Any = run.result["streams"][0]["chunk_interval"]
    return run.outcomes.total(), run.chunks, {name: interval[name] for name in QUANTILES}


def by_reader(locustfile: str) -> Callable[[Load, str, Path], Seen]:
    """Return a function that measures the same with a locustfile of ``readers``."""

    def measure(load: Load, url: str, directory: Path) -> Seen:
        file = directory / "arrivals.json"
        variables = {PATH_VARIABLE: load.path, FILE_VARIABLE: str(file)}
        run = run_locust(
            READERS / locustfile, *load.options(url), variables=variables, timeout_s=_limit_s(load), cwd=ROOT
        )
        if not file.exists():
            raise RuntimeError(f"{locustfile} wrote no arrivals:\n{run.output}")
        seen = Log(0, json.loads(file.read_text()))
        return len(seen.streams), seen.chunks, _quantiles(seen.intervals_ns)

    return measure


INSTRUMENTS: dict[str, Callable[[Load, str, Path], Seen]] = {
    "streamgauge": by_streamgauge,
    "FastHttpUser iter_lines": by_reader("fast_http_iter_lines.py"),
    "FastHttpUser readline": by_reader("fast_http_readline.py"),
    "HttpUser iter_lines": by_reader("http_iter_lines.py"),
}


def _limit_s(load: Load) -> float:
    return load.seconds + DRAIN_S + 60


def _quantiles(intervals_ns: list[int]) -> dict[str, float]:
    return {name: quantile_s(intervals_ns, q) for name, q in QUANTILES.items()}


def measure(name: str, load: Load) -> dict[str, Any]:
    """Run one instrument, and compare its figures with the log."""
    with Server() as source, tempfile.TemporaryDirectory() as directory:
        streams, chunks, seen = INSTRUMENTS[name](load, source.url, Path(directory))
        log = fetch(source.url)
    truths = {each: chunk_interval(log, q) or _UNKNOWN for each, q in QUANTILES.items()}
    sent = {each: truth.value_s for each, truth in truths.items()}
    return {
        "instrument": name,
        "log": {"streams": len(log), "chunks": sum(len(each.before_ns) for each in log), **sent},
        "measured": {"streams": streams, "chunks": chunks, **seen},
        "difference": {each: seen[each] - sent[each] for each in QUANTILES},
        # The rest of the difference, without delays of the source between reading its clock and sending.
        "beyond_log": {each: truth.difference_s(seen[each]) for each, truth in truths.items()},
    }


def row(found: dict[str, Any]) -> str:
    """Format one line of the table, in milliseconds."""
    values = [found[part][name] * 1000 for name in QUANTILES for part in ("log", "measured", "difference")]
    numbers = "  ".join(f"{value:>+9.2f}" if at % 3 == 2 else f"{value:>9.2f}" for at, value in enumerate(values))
    return f"{found['instrument']:<24}  {found['measured']['chunks']:>6} of {found['log']['chunks']:<6}  {numbers}"


def header() -> str:
    """Return the table's head."""
    names = [f"{name} {part}" for name in QUANTILES for part in ("log", "seen", "diff")]
    return f"{'chunk interval, ms':<24}  {'chunks seen':<16}  " + "  ".join(f"{name:>9}" for name in names)


def report(load: Load, found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the content of the file of ``-o``. Durations are in seconds."""
    return {
        "benchmark": "chunk_interval",
        "load": {"streams": load.streams, "seconds": load.seconds, "interval_s": load.interval_ms / 1000},
        "machine": {"cpus": os.cpu_count(), "system": f"{sys.platform} {os.uname().release}"},
        "versions": {
            **{name: version(name) for name in ("streamgauge", "locust", "gevent", "geventhttpclient", "requests")},
            "python": platform.python_version(),
        },
        "instruments": found,
    }


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """Parse the options. Exits with status 2 if one is wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chunk_interval", description=__doc__)
    add_load(parser)
    parser.add_argument(
        "--instrument", action="append", choices=INSTRUMENTS, help="run only this one; repeat the option for several"
    )
    add_output(parser)
    return parser.parse_args(arguments)


def add_load(parser: argparse.ArgumentParser) -> None:
    """Add the options for the load."""
    parser.add_argument("--streams", type=whole, default=50, help="concurrent streams, default %(default)s")
    parser.add_argument("--seconds", type=positive, default=15, help="duration of each run, default %(default)s")
    parser.add_argument("--interval-ms", type=positive, default=50, help="time between sends, default %(default)s")


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark, print its table and write its figures."""
    options = parsed(arguments)
    load = Load(options.streams, options.seconds, options.interval_ms)
    names = options.instrument or list(INSTRUMENTS)
    found = []
    print(f"{load.streams} streams for {load.seconds:g} s, a chunk every {load.interval_ms:g} ms", file=sys.stderr)
    for number, name in enumerate(names, 1):
        print(f"[{number}/{len(names)}] {name}, about {load.seconds + 5:.0f} s …", file=sys.stderr, flush=True)
        found.append(measure(name, load))
    print(header(), *map(row, found), sep="\n")
    write_figures(options, report(load, found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
