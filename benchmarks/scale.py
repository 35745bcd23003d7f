"""Measures memory per stream with thousands of concurrent streams in one generator process, and counts lost streams.

A source that logs its sends keeps the streams open and sends a chunk on each every few seconds. A Locust run of the SSE
scenario reads them, with one user and one greenlet per stream; for comparison, the engine reads them without Locust.
Memory is that of the process with all streams open, minus that right before the first stream, without kernel memory.
Each run is compared with the source's log, stream by stream.
"""

import argparse
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from benchmarks.scale_run import GENERATORS, Load, ScaleError, measure
from benchmarks.testbed import machine
from benchmarks.testbed.options import add_output, positive, whole, write_figures

SCHEMA = "streamgauge.benchmark.scale/1"
#: Limit of memory per stream.
LIMIT_KB = 25.0
#: File descriptors in addition to those of the streams.
SPARE_FILES = 500


def holds(found: dict[str, Any], limit_kb: float) -> bool:
    """Whether a generator lost nothing, and used at most ``limit_kb`` per stream."""
    return not (found["lost_streams"] or found["lost_chunks"]) and bool(found["kb_per_stream"] <= limit_kb)


def row(found: dict[str, Any], limit_kb: float) -> str:
    """Format one line of the table."""
    lag = found.get("lag_s")
    said = f"lag p99 {lag['p99'] * 1000:.1f} ms, CPU {found['cpu_max']:.0%}, {found['trust']}" if lag else ""
    return (
        f"{found['generator']:<10} {found['log']['streams']:>7} {found['lost_streams']:>5}"
        f" {found['log']['chunks']:>8} {found['lost_chunks']:>5}"
        f" {found['rss_before_bytes'] / 1e6:>10.1f} {found['rss_bytes'] / 1e6:>8.1f} {found['kb_per_stream']:>10.2f}"
        f"  {'passed' if holds(found, limit_kb) else 'FAILED':<6} {said}"
    )


HEADER = (
    f"{'generator':<10} {'streams':>7} {'lost':>5} {'chunks':>8} {'lost':>5}"
    f" {'before, MB':>10} {'open, MB':>8} {'KB/stream':>10}"
)


@contextmanager
def enough_files(streams: int) -> Iterator[None]:
    """Let child processes open a file descriptor for each stream. Raises ScaleError if that is not allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = streams + SPARE_FILES
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    except (ValueError, OSError):
        allowed = "fewer" if hard == resource.RLIM_INFINITY else hard
        raise ScaleError(
            f"argument --streams: {streams} streams need {wanted} open files, and {allowed} are allowed; "
            "raise the limit with ulimit -n"
        ) from None
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """Parse the options. Exits with status 2 if one is wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks scale", description=__doc__)
    parser.add_argument("--streams", type=whole, default=10_000, help="concurrent streams, default %(default)s")
    parser.add_argument("--ramp", type=positive, default=500, help="streams opened per second, default %(default)s")
    parser.add_argument("--interval", type=positive, default=10, help="seconds between chunks, default %(default)s")
    parser.add_argument(
        "--plateau", type=positive, default=30, help="seconds with all streams open, default %(default)s"
    )
    parser.add_argument("--limit-kb", type=positive, default=LIMIT_KB, help="most KB per stream, default %(default)s")
    parser.add_argument(
        "--generator", action="append", choices=GENERATORS, help="run only this one; repeat the option for several"
    )
    add_output(parser)
    options = parser.parse_args(arguments)
    if not machine.supported():
        parser.error(f"this benchmark needs Linux's figures of process memory, got {sys.platform}")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Run the generators one after the other; return 1 if one lost data or used too much memory."""
    options = parsed(arguments)
    load = Load(options.streams, options.ramp, options.interval, options.plateau)
    found = []
    print(
        f"{load.streams} streams at {load.ramp:g}/s, a chunk every {load.interval_s:g} s on each,"
        f" at most {options.limit_kb:g} KB per stream",
        file=sys.stderr,
    )
    try:
        with enough_files(load.streams):
            for name in options.generator or GENERATORS:
                print(f"{name}, about {load.ramp_s + load.stream_s + 5:.0f} s …", file=sys.stderr, flush=True)
                found.append(measure(name, load))
    except ScaleError as error:
        print(f"benchmark ended: {error}", file=sys.stderr)
        return 2 if str(error).startswith("argument") else 1
    print(HEADER, *(row(each, options.limit_kb) for each in found), sep="\n")
    for each in found:
        for reason in each.get("reasons", ()):
            print(f"{each['generator']}: {reason}")
    write_figures(options, report(options, load, found))
    return 0 if all(holds(each, options.limit_kb) for each in found) else 1


def report(options: argparse.Namespace, load: Load, found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the content of the file of ``-o``."""
    return {
        "schema": SCHEMA,
        "benchmark": "scale",
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "load": {
            "streams": load.streams,
            "ramp_per_s": load.ramp,
            "interval_s": load.interval_s,
            "plateau_s": load.plateau_s,
            "limit_kb": options.limit_kb,
        },
        "machine": machine.facts(),
        "versions": machine.versions(),
        "generators": found,
    }


if __name__ == "__main__":
    sys.exit(main())
