"""Counts the machine instructions that the middleware executes for one chunk, which other work does not change.

Time is what users feel, and the recorder's benchmark measures it; but time depends on the machine and on what else
runs. The number of instructions of one version of Python hardly does, so a test can hold it.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.testbed import machine
from benchmarks.testbed.options import add_output, write_figures
from benchmarks.testbed.rounds import wide_console
from benchmarks.testbed.server import ROOT
from benchmarks.testbed.service.counted import CONTENTS, MOST_CHUNKS, WAYS

#: The content of a stream, and the way in which it is sent.
Stream = tuple[str, str]

SCHEMA = "streamgauge.benchmark.instructions/1"
#: Chunks of a short and a long stream; the difference leaves out all that is not done for each chunk. After the short
#: one, the middleware knows whether bodies repeat.
SHORT, LONG = 1_000, MOST_CHUNKS
_COLLECTED = re.compile(r"Collected : (\d+)")
_LIMIT_S = 600
_PROGRAM = (sys.executable, "-m", "benchmarks.testbed.service.counted")


def per_chunk(streams: Sequence[Stream]) -> dict[Stream, float]:
    """Count the instructions for one chunk of each stream. Raises ``OSError`` without valgrind.

    A run sends all of them, one of which is long.
    """
    short = dict.fromkeys(streams, SHORT)
    all_short, *one_long = executed([short, *({**short, each: LONG} for each in streams)])
    return {each: (count - all_short) / (LONG - SHORT) for each, count in zip(streams, one_long, strict=True)}


def executed(runs: Sequence[Mapping[Stream, int]]) -> list[int]:
    """Count the instructions of each run, which sends streams with so many chunks. Raises ``OSError``.

    Starting Python takes far longer than a run, so one process starts, and forks another for each run.
    """
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *_PROGRAM]
    command.append(json.dumps([[(*stream, count) for stream, count in chunks.items()] for chunks in runs]))
    environment = os.environ | {"PYTHONHASHSEED": "0"}  # or the program would differ from run to run
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=_LIMIT_S
    )
    *counts, _first_process = map(int, _COLLECTED.findall(done.stderr))
    if len(counts) != len(runs):
        raise OSError(f"expected {len(runs)} counts from callgrind, got {done.stderr[-200:]!r}")
    return counts


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark, print its table and write its figures; return 1 without valgrind."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks instructions", description=__doc__)
    add_output(parser)
    options, console = parser.parse_args(arguments), Console(stderr=True)
    if shutil.which("valgrind") is None:
        console.print("this benchmark needs valgrind: install it, or put it on PATH", markup=False)
        return 1
    with console.status("starting") as status:
        counts = measured(lambda text: status.update(text))
    report: dict[str, Any] = {
        "schema": SCHEMA,
        "benchmark": "instructions",
        "machine": machine.facts(),
        "versions": {"streamgauge": version("streamgauge")},
        "instructions_per_chunk": counts,
    }
    _show(counts)
    write_figures(options, report)
    return 0


def measured(say: Callable[[str], None]) -> dict[str, float]:
    """Count the instructions for one chunk: without middleware, passed on, and by content through the middleware."""
    passed_on = [("raw messages", way) for way in WAYS[:2]]  # the same for each content
    streams = [*passed_on, *((content, WAYS[2]) for content in CONTENTS)]
    say(f"{len(streams)} streams, about {10 + len(streams)} s")
    counts = per_chunk(streams)
    return {way if way != WAYS[2] else content: count for (content, way), count in counts.items()}


def _show(counts: dict[str, float]) -> None:
    table = Table(title="instructions for one chunk, without a server", title_justify="left", header_style="bold")
    for column in ("middleware", "content", "instructions", "own"):
        table.add_column(column, justify="left" if column in ("middleware", "content") else "right")
    for way in WAYS[:2]:
        table.add_row(way, "any", f"{counts[way]:,.0f}", "")
    for content in CONTENTS:
        table.add_row(WAYS[2], content, f"{counts[content]:,.0f}", f"{counts[content] - counts[WAYS[1]]:,.0f}")
    console = wide_console()
    console.print(table)
    console.print("own: streamgauge's instructions beyond middleware that only passes messages on.", highlight=False)


if __name__ == "__main__":
    sys.exit(main())
