"""Runs one generator process with many streams: starts it, samples its memory, and collects its figures."""

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from benchmarks.testbed.server import ROOT, Log, Server
from streamgauge.runner.load_plan import environment_without_locust, locust_command
from streamgauge.runner.process import Child, python_module
from streamgauge.runner.runs import results_in

SAMPLE_S = 0.25
#: Longest time from the start of a run to its first stream, and from its last chunk to its result.
SLACK_S = 60.0


@dataclass(frozen=True, slots=True)
class Load:
    """The streams of a run, and how fast they are opened."""

    streams: int
    ramp: float
    """Streams a second."""
    interval_s: float
    plateau_s: float

    @property
    def ramp_s(self) -> float:
        """Return how long it takes to open all streams."""
        return self.streams / self.ramp

    @property
    def chunks(self) -> int:
        """Return the chunks of a stream without the last one, so that it lasts for the ramp and the plateau."""
        return max(1, -int(-(self.ramp_s + self.plateau_s) // self.interval_s))

    @property
    def path(self) -> str:
        """Return the source's path."""
        return f"/sse?chunks={self.chunks}&interval_ms={self.interval_s * 1000:g}"

    @property
    def stream_s(self) -> float:
        """Return how long a stream lasts."""
        return (self.chunks + 1) * self.interval_s


@dataclass(slots=True)
class Memory:
    """A process's memory over time: wall clock, resident bytes, and those that no other process shares."""

    samples: list[tuple[float, int, int]] = field(default_factory=list)

    def before(self, moment_s: float) -> tuple[float, int, int]:
        """Return the last sample before ``moment_s``."""
        return max(each for each in self.samples if each[0] < moment_s)

    def between(self, begin_s: float, end_s: float) -> list[tuple[float, int, int]]:
        """Return the samples from ``begin_s`` to ``end_s``."""
        return [each for each in self.samples if begin_s <= each[0] <= end_s]


@dataclass(slots=True)
class Run:
    """The figures that a generator process gave. Times are of the wall clock, in seconds."""

    started_s: float
    """Right before its first stream."""
    open_s: float
    """All streams were open."""
    outcomes: dict[str, int]
    chunks: int
    facts: dict[str, Any] = field(default_factory=dict)


class ScaleError(RuntimeError):
    """The generator failed."""


def watched(process: Child, limit_s: float) -> Memory:
    """Sample the memory of ``process`` until it ends. Raises ScaleError when that takes longer than ``limit_s``."""
    memory, begin_s = Memory(), time.monotonic()
    seen = psutil.Process(process.pid)
    while process.running:
        try:
            found = seen.memory_full_info()
        except (psutil.NoSuchProcess, psutil.AccessDenied):  # it is ending
            break
        memory.samples.append((time.time(), found.rss, found.uss))
        if time.monotonic() - begin_s > limit_s:
            raise ScaleError(f"expected the generator to end within {limit_s:g} s, and it still runs")
        time.sleep(SAMPLE_S)
    process.wait(SLACK_S)
    return memory


def by_locust(load: Load, url: str, directory: Path) -> list[str]:
    """Return the command of the SSE scenario. The run ends during the first streams, which are read to their ends."""
    run_s = (load.ramp_s + load.stream_s) / 2
    return locust_command(
        "loadtests/sse.py",
        *("--headless", "--only-summary", "-H", url, "-u", load.streams, "-r", f"{load.ramp:g}", "-t", f"{run_s:.0f}s"),
        *("--stop-timeout", round(load.stream_s + SLACK_S), "--stream-path", load.path),
        *("--stream-end", "event:done", "--first-chunk-timeout", load.interval_s + 30),
        *("--idle-timeout", load.interval_s + 30, "--result-dir", directory),
    )


def locust_said(load: Load, directory: Path) -> Run:
    """Read a run from its ``result.json``."""
    (result,) = results_in(directory)
    started_s = datetime.fromisoformat(result["run"]["started_at"]).timestamp()
    full = [point["t_s"] for point in result["timeline"] if point["active"] == load.streams]
    if not full:
        most = max((point["active"] for point in result["timeline"]), default=0)
        raise ScaleError(f"expected {load.streams} streams to be open at once, got at most {most}")
    outcomes: dict[str, int] = {}
    for each in result["streams"]:
        for name, times in each["outcomes"].items():
            outcomes[name] = outcomes.get(name, 0) + times
    lag = result["generator"]["lag"]
    facts = {
        "trust": result["verdict"]["trust"],
        "reasons": result["verdict"]["reasons"],
        "lag_s": {name: lag[name] for name in ("p50", "p99", "max")},
        "cpu_max": result["generator"]["cpu_max"],
        "coalesced_share": max(each["coalesced_share"] for each in result["streams"]),
    }
    return Run(started_s, started_s + full[0] + 1, outcomes, sum(each["chunks"] for each in result["streams"]), facts)


def by_bare_engine(load: Load, url: str, directory: Path) -> list[str]:
    """Return the command of the engine without Locust."""
    arguments = (url + load.path, load.streams, load.ramp, load.interval_s + 30, directory / "bare.json")
    return python_module("benchmarks.engine.clients.bare_engine", *arguments)


def bare_said(load: Load, directory: Path) -> Run:
    """Read a run from the client's output."""
    run = Run(**json.loads((directory / "bare.json").read_text()))
    if (ended := sum(run.outcomes.values())) != load.streams:
        raise ScaleError(f"expected {load.streams} streams to end, got {ended}")
    return run


GENERATORS: dict[str, tuple[Callable[[Load, str, Path], list[str]], Callable[[Load, Path], Run]]] = {
    "locust": (by_locust, locust_said),
    "bare": (by_bare_engine, bare_said),
}


def measure(name: str, load: Load) -> dict[str, Any]:
    """Run one generator, and compare its counts with the source's log. Raises ScaleError."""
    build, said = GENERATORS[name]
    with Server() as source, tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        command, log = build(load, source.url, directory), directory / "output.log"
        process = Child(name, command, log, environment_without_locust(), ROOT)
        try:
            memory = watched(process, load.ramp_s + load.stream_s + 2 * SLACK_S)
            run = said(load, directory)
        except (OSError, ValueError) as error:
            raise ScaleError(
                f"the generator ({name}) wrote no result ({error}). Its last output:\n{process.tail()}"
            ) from None
        finally:
            process.end()
        return figures(name, load, memory, run, source.log())


def figures(name: str, load: Load, memory: Memory, run: Run, log: Log) -> dict[str, Any]:
    """Compute the figures of the run. Raises ScaleError if the plateau was too short for a memory sample."""
    end_s = run.open_s + load.plateau_s / 2
    plateau = memory.between(run.open_s, end_s)
    if not plateau:
        raise ScaleError(f"no memory sample while all {load.streams} streams were open; raise --plateau")
    _, rss_before, uss_before = memory.before(run.started_s)
    rss, uss = median(each[1] for each in plateau), median(each[2] for each in plateau)
    completed = run.outcomes.get("completed", 0)
    return {
        "generator": name,
        "streams": load.streams,
        "rss_before_bytes": rss_before,
        "rss_bytes": rss,
        "rss_max_bytes": max(each[1] for each in memory.between(run.started_s, end_s)),
        "kb_per_stream": (rss - rss_before) / load.streams / 1000,
        "private_kb_per_stream": (uss - uss_before) / load.streams / 1000,
        "log": {"streams": len(log.streams), "chunks": log.chunks},
        "outcomes": run.outcomes,
        "chunks": run.chunks,
        "lost_streams": max(len(log.streams), load.streams) - completed,
        "lost_chunks": log.chunks - run.chunks,
        **run.facts,
    }
