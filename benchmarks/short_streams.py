"""Compares the CPU time of short streams with Locust's own ``FastHttpUser.get`` of the same responses.

Both are real Locust runs with ten users, each on a kept connection, against one source that answers at once. The
clients take turns in each round, so that what else runs on the machine affects both; the ratio is that of a round. The
CPU time is that of the streams after the start: connections are made by then. FastHttpUser reads a body and looks at
nothing in it; streamgauge cuts each event out, times it, and checks which one ends the stream. A run of one user shows
the figures and the verdict beside the source's log.

Each write takes the source some 4 µs, in which the kernel receives for the client. A source that is busy all the time
is the limit, not the client: while a response comes, both clients go on looking for more of it, so that the CPU time of
each is the source's, and their ratio nears 1.
"""

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import psutil

from benchmarks.short.truth import PARTS, against_log
from benchmarks.testbed import machine
from benchmarks.testbed.options import add_output, positive, whole, write_figures
from benchmarks.testbed.rounds import summary
from benchmarks.testbed.server import ROOT, Server
from streamgauge.runner.finished_run import run_locust
from streamgauge.runner.process import python_module

SCHEMA = "streamgauge.benchmark.short-streams/1"
LOCUSTFILES = Path(__file__).parent / "short"
OURS, THEIRS = "streamgauge", "FastHttpUser"
CLIENTS = {THEIRS: "fast_http.py", OURS: "streamgauge_user.py"}
#: The chunks of a response, and in how many writes the source sends them.
SHAPES = ((1, 1), (5, 1), (5, 5), (20, 1), (20, 10), (20, 20))
USERS, START = 10, 1_000
LIMIT_S = 300.0
#: What a short stream may cost, as a ratio.
WANTED = 0.8
#: A source that is busy for a larger share of the time is the limit.
LIMITS = 0.9


@dataclass(frozen=True, slots=True)
class Shape:
    """The responses of a run."""

    chunks: int
    writes: int

    @property
    def path(self) -> str:
        """Return the source's path."""
        return f"/{self.chunks}/{self.writes}"


class Cost(NamedTuple):
    """What a run of many streams took."""

    cpu_us: float
    """The client's CPU time for a stream."""
    source: float
    """The share of the time for which the source was busy."""


def cost(client: str, shape: Shape, streams: int) -> Cost:
    """Measure what a stream costs. Raises RuntimeError if the run ends without."""
    with Server(*python_module("benchmarks.testbed.quick_source")) as source, tempfile.TemporaryDirectory() as place:
        file, process = Path(place) / "cpu.json", psutil.Process(source.pid)
        before_s = sum(process.cpu_times()[:2])
        variables = {
            "SHORT_PATH": shape.path,
            "SHORT_START": str(START),
            "SHORT_TOTAL": str(START + streams),
            "SHORT_FILE": str(file),
        }
        own = ("--metrics-port", "off") if client == OURS else ()
        options = ("--headless", "--only-summary", "-H", source.url, "-u", USERS, "-r", USERS, *own)
        run = run_locust(LOCUSTFILES / CLIENTS[client], *options, variables=variables, timeout_s=LIMIT_S, cwd=ROOT)
        if not file.exists():
            raise RuntimeError(f"{client} ended without its figures:\n{run.output}")
        found = json.loads(file.read_text())
        source_s = (sum(process.cpu_times()[:2]) - before_s) / (START + streams)
        return Cost(found["cpu_s"] / found["streams"] * 1e6, source_s * found["streams"] / found["seconds"])


def compare(shape: Shape, rounds: int, streams: int) -> dict[str, Any]:
    """Run both clients in each round."""
    taken: dict[str, list[float]] = {name: [] for name in CLIENTS}
    source = []
    for number in range(rounds):
        print(f"{shape.path}, round {number + 1} of {rounds} …", file=sys.stderr, flush=True)
        for name, figures in taken.items():
            found = cost(name, shape, streams)
            figures.append(found.cpu_us)
            source.append(found.source)
    ratios = [ours / theirs for ours, theirs in zip(taken[OURS], taken[THEIRS], strict=True)]
    return {
        "chunks": shape.chunks,
        "writes": shape.writes,
        "cpu_us": {name: summary(figures) for name, figures in taken.items()},
        "ratio": summary(ratios),
        "source": summary(source),
    }


def row(found: dict[str, Any]) -> str:
    """Format one line of the table."""
    cells = [f"{found['cpu_us'][name]['median']:>12.0f}" for name in CLIENTS]
    ratio, source = found["ratio"], found["source"]["median"]
    return (
        f"{found['chunks']:>6} {found['writes']:>6} {''.join(cells)}"
        f" {ratio['median']:>7.2f}  ({ratio['min']:.2f} to {ratio['max']:.2f})"
        f" {source:>10.0%}{' the limit' if source > LIMITS else ''}"
    )


def truth_row(found: dict[str, Any]) -> str:
    """Format one line of the table of trust, in µs."""
    cells = [f"{found[part][which] * 1e6:>9.1f}" for which in ("p50", "p99") for part in PARTS]
    return (
        f"{found['chunks']:>6} {found['writes']:>6} {''.join(cells)}  {found['trust']}{''.join(found['reasons'][:1])}"
    )


TRUTH_HEADER = f"{'chunks':>6} {'writes':>6} " + "".join(
    f"{name:>9}" for which in ("p50", "p99") for name in ("TTFC", f"log {which}", "gap", f"log {which}")
)
HEADER = (
    f"{'chunks':>6} {'writes':>6} {''.join(f'{name:>12}' for name in CLIENTS)}"
    f" {'ratio':>7} {'source busy':>26}   CPU µs per stream"
)


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark, print its table and write its figures; return 1 if a ratio is above the limit."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks short_streams", description=__doc__)
    parser.add_argument("--rounds", type=whole, default=5, help="runs of each client, default %(default)s")
    parser.add_argument("--streams", type=whole, default=10_000, help="streams of a run, default %(default)s")
    parser.add_argument(
        "--chunks", type=whole, action="append", help="only responses of so many chunks; may be repeated"
    )
    parser.add_argument("--limit", type=positive, default=WANTED, help="largest ratio that passes, default %(default)s")
    add_output(parser)
    options = parser.parse_args(arguments)
    shapes = [Shape(*each) for each in SHAPES if not options.chunks or each[0] in options.chunks]
    if not shapes:
        parser.error(f"argument --chunks: expected some of {sorted({each[0] for each in SHAPES})}")
    found = [compare(shape, options.rounds, options.streams) for shape in shapes]
    seen = [against_log(shape.chunks, shape.writes) for shape in shapes]
    print(HEADER, *map(row, found), sep="\n")
    print("\nOne user, against the source's log from request to write and between writes, µs:")
    print(TRUTH_HEADER, *map(truth_row, seen), sep="\n")
    report = {
        "schema": SCHEMA,
        "benchmark": "short_streams",
        "users": USERS,
        "streams": options.streams,
        "machine": machine.facts(),
        "versions": machine.versions(),
        "shapes": found,
        "truth": seen,
    }
    write_figures(options, report)
    return int(median(each["ratio"]["median"] for each in found) > options.limit)


if __name__ == "__main__":
    sys.exit(main())
