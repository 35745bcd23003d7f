"""Measures the cost by chunk size: the sample app's streams with 64 B to 1 MiB per chunk, as fast as they go.

Small chunks cost the server time per chunk, large chunks per byte; the table shows where the cost changes. CPU time is
the server's alone, and the steadier figure: chunks and bytes per second depend on server and reader, which share the
machine's cores. Sizes and forms take turns, round after round, so that other activity on the machine affects all.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.testbed import machine
from benchmarks.testbed.options import add_output, whole, write_figures
from benchmarks.testbed.rounds import over_rounds, wide_console
from benchmarks.testbed.server import ROOT
from benchmarks.testbed.service.reading import ReadingError, read_bodies
from streamgauge.report.units import number

SCHEMA = "streamgauge.benchmark.chunk_size/1"
SIZES_BYTES = (64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576)
FORMS = ("sse", "ndjson", "text", "bytes")
STREAMS = 4
COST, BYTE_COST, RATE, BYTE_RATE = "cpu_s_per_chunk", "cpu_s_per_byte", "chunks_per_s", "bytes_per_s"

Say = Callable[[str], None]


@contextmanager
def sample_app() -> Iterator[tuple[int, int]]:
    """Run the sample app in its own process; give its port and its process id."""
    command = [sys.executable, "-m", "target_app", "--port", "0", "--metrics-port", "0", "--log-level", "warning"]
    plain = {name: value for name, value in os.environ.items() if not name.startswith("TARGET_APP_")}
    with subprocess.Popen(command, cwd=ROOT, env=plain, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(json.loads(process.stdout.readline())["url"].rpartition(":")[2]), process.pid
        finally:
            process.terminate()


def trial(app: tuple[int, int], form: str, size_bytes: int, chunks: int) -> dict[str, float]:
    """Read ``chunks`` chunks of each stream once. Raises ReadingError if some are missing."""
    port, pid = app
    path = f"/stream/{form}?chunks={chunks}&chunk_bytes={size_bytes}&interval_ms=0"
    before_ns, begin_s = machine.cpu_ns(pid), time.perf_counter()
    bodies = read_bodies(port, path, STREAMS)
    took_s, cpu_s = time.perf_counter() - begin_s, (machine.cpu_ns(pid) - before_ns) / 1e9
    if min(bodies) < chunks * size_bytes:
        raise ReadingError(f"{path}: expected at least {chunks * size_bytes} bytes, got {min(bodies)}")
    count, size = STREAMS * chunks, STREAMS * chunks * size_bytes
    return {COST: cpu_s / count, BYTE_COST: cpu_s / size, RATE: count / took_s, BYTE_RATE: size / took_s}


def chunks_of(size_bytes: int, most: int) -> int:
    """Return the number of chunks per stream: ``most``, or fewer if 8 MiB are reached before."""
    return max(8, min(most, (8 << 20) // size_bytes))


def measured(rounds: int, most: int, say: Say) -> list[dict[str, Any]]:
    """Return all rounds by form and size. A first round warms up and is dropped."""
    found: dict[tuple[str, int], list[dict[str, float]]] = {}
    with sample_app() as app:
        for at in range(rounds + 1):
            for form in FORMS:
                for size_bytes in SIZES_BYTES:
                    say(f"round {at} of {rounds}: {form}, {size_bytes} B")
                    figures = trial(app, form, size_bytes, chunks_of(size_bytes, most))
                    found.setdefault((form, size_bytes), []).append(figures)
    return [{"form": form, "size_bytes": size, "rounds": each[1:]} for (form, size), each in found.items()]


def summary_of(sizes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the median, minimum and maximum of each figure."""
    return [
        {"form": each["form"], "size_bytes": each["size_bytes"]}
        | {name: over_rounds(each["rounds"], name) for name in (COST, BYTE_COST, RATE, BYTE_RATE)}
        for each in sizes
    ]


def show(summary: list[dict[str, Any]]) -> None:
    """Print the medians, one line for each form and size."""
    table = Table(title=f"{STREAMS} streams as fast as they go, median", title_justify="left")
    for heading in ("form", "bytes per chunk", "CPU per chunk, µs", "CPU per KiB, µs", "chunks/s", "MiB/s"):
        table.add_column(heading, justify="left" if heading == "form" else "right")
    for each in summary:
        cost, byte_cost, rate, byte_rate = (each[name]["median"] for name in (COST, BYTE_COST, RATE, BYTE_RATE))
        figures = (
            f"{cost * 1e6:.1f}",
            f"{byte_cost * 1024e6:.2f}",
            number(round(rate)),
            f"{byte_rate / (1 << 20):.1f}",
        )
        last = each["size_bytes"] == SIZES_BYTES[-1]
        table.add_row(each["form"], number(each["size_bytes"]), *figures, end_section=last)
    wide_console().print(table)


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """Parse the options. Exits with status 2 if one is wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks chunk_size", description=__doc__)
    parser.add_argument("--rounds", type=whole, default=5, help="rounds, default %(default)s")
    parser.add_argument("--chunks", type=whole, default=10_000, help="most chunks per stream, default %(default)s")
    add_output(parser)
    options = parser.parse_args(arguments)
    if not machine.supported():
        parser.error(f"this benchmark needs Linux's CPU clocks, got {sys.platform}")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark, print its table and write its figures; return 1 if a stream was incomplete."""
    options, console = parsed(arguments), Console(stderr=True)
    report: dict[str, Any] = {
        "schema": SCHEMA,
        "benchmark": "chunk_size",
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "options": {"rounds": options.rounds, "chunks": options.chunks, "streams": STREAMS},
        "machine": machine.facts(),
    }
    try:
        with console.status("starting") as status:
            report["sizes"] = measured(options.rounds, options.chunks, lambda text: status.update(text))
    except (ReadingError, OSError) as error:
        console.print(f"benchmark ended: {error}", markup=False)
        return 1
    report["summary"] = summary_of(report["sizes"])
    show(report["summary"])
    write_figures(options, report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
