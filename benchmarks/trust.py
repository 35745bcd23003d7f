"""Checks the verdict: compares undisturbed runs, and runs disturbed on purpose, with the source's log.

In a trusted run, every figure must be right: p50, p90 and p99 of time to first chunk and chunk interval, within 1 % or
0.1 ms of the log's. If the clock stepped, the process was suspended, or chunks were sent together on purpose, the run
must not be trusted at all.

Time to first chunk counts from the start of the stream, which only the client knows; the log uses this start too, so a
late request is not judged. The lines below the table show how far the client's figures are from those that count from
the arrival of the request at the source.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.testbed.machine import born_on, cores, facts, versions
from benchmarks.testbed.options import add_output, positive, whole, write_figures
from benchmarks.testbed.sabotage import KINDS, Kind
from benchmarks.testbed.server import ROOT, Server
from streamgauge.calibrate.truth import METRICS, Stream, quantile, streams_of
from streamgauge.report.result import MetricSummary, Result
from streamgauge.runner.load_plan import environment_without_locust, locust_command
from streamgauge.runner.process import Child
from streamgauge.runner.runs import results_in
from streamgauge.verdict.trust import JUDGED

#: A figure is right within this share of the log's figure, or within this time.
RELATIVE, ABSOLUTE_S = 0.01, 0.0001
_LIMIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Load:
    """The load of every run."""

    streams: int
    seconds: float
    chunks: int = 16
    """Of each stream."""
    interval_ms: float = 30

    def path(self, kind: Kind) -> str:
        """Return the source's path; intervals are random, from half to one and a half of ``interval_ms``."""
        return f"/sse?chunks={self.chunks}&interval_ms={self.interval_ms:g}&jitter=0.5&bytes=100{kind.knobs}"

    def options(self, kind: Kind, url: str) -> list[object]:
        """Return Locust's options."""
        users = ("-u", self.streams, "-r", self.streams, "-t", f"{self.seconds:g}s")
        stream = ("--stream-path", self.path(kind), "--stream-end", "event:done")
        return ["--headless", "--only-summary", "-H", url, *users, *stream]


@dataclass(slots=True)
class Trial:
    """One run, compared with its log. Differences are in seconds; ``wrong`` names the figures that are not right."""

    kind: str
    trust: str
    reasons: list[str]
    differences_s: dict[str, float] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    from_request_s: dict[str, float] = field(default_factory=dict)
    """By percentile: the client's time to first chunk minus the log's from request to send. Not judged."""
    generator: dict[str, float | None] = field(default_factory=dict)
    """The generator's figures of itself, as seconds and shares."""

    @property
    def column(self) -> str:
        """Return the table's column that counts this run."""
        if self.trust != "trusted":
            return "not trusted, wrong" if self.wrong else "not trusted, right"
        if self.wrong or not KINDS[self.kind].may_be_trusted:
            return "TRUSTED, WRONG"
        return "trusted, right"


COLUMNS = ("trusted, right", "not trusted, right", "not trusted, wrong", "TRUSTED, WRONG")


def trial(name: str, load: Load) -> Trial:
    """Do one run, and compare it with the log."""
    kind = KINDS[name]
    source_core, generator_core = cores() or (None, None)
    with ExitStack() as stack:
        with born_on(source_core):
            source = stack.enter_context(Server())
            port = source.url.rpartition(":")[2]
            path = stack.enter_context(Server(*kind.relay, "--to", port)) if kind.relay else source
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        with born_on(generator_core):
            result = run(kind, load.options(kind, path.url), directory)
        return judged(name, result, streams_of(source.url, directory / "results"))


def run(kind: Kind, options: Sequence[object], directory: Path) -> Result:
    """Run Locust, and disturb it from the start of its run."""
    command = locust_command(kind.locustfile, *options, "--result-dir", directory / "results")
    locust = Child("Locust", command, directory / "locust.log", environment_without_locust(kind.variables()), ROOT)
    try:
        deadline_s = time.monotonic() + _LIMIT_S
        while not list(directory.glob("results/*/")) and locust.running and time.monotonic() < deadline_s:
            time.sleep(0.02)
        with kind.sabotage(locust.pid):
            while locust.running and not list(directory.glob("results/*/result.json")):
                if time.monotonic() > deadline_s:
                    break
                time.sleep(0.02)
        locust.wait(max(1.0, deadline_s - time.monotonic()))
    finally:
        locust.end()
    results = results_in(directory / "results")
    if len(results) != 1:
        raise RuntimeError(f"expected one result, got {len(results)}:\n{locust.tail()}")
    return results[0]


def judged(name: str, result: Result, log: list[Stream]) -> Trial:
    """Compare the result with the log."""
    found = Trial(name, result["verdict"]["trust"], result["verdict"]["reasons"])
    (streams,) = result["streams"]
    found.generator = _generator(result) | {"coalesced_share": streams["coalesced_share"]}
    if (chunks := sum(len(each.after_ns) for each in log)) != streams["chunks"]:
        found.wrong.append(f"expected {chunks} chunks, got {streams['chunks']}")
    found.from_request_s = _from_request(streams["time_to_first_chunk"], log)
    for metric, truth_of in METRICS.items():
        for percentile, q in JUDGED.items():
            truth, seen_s = truth_of(log, q), streams[metric][percentile]  # type: ignore[literal-required]
            if truth is None or seen_s is None:
                found.wrong.append(f"{metric}.{percentile} is missing")
                continue
            off_s = truth.difference_s(seen_s)
            found.differences_s[f"{metric}.{percentile}"] = off_s
            if abs(off_s) > max(RELATIVE * truth.value_s, ABSOLUTE_S):
                found.wrong.append(f"{metric}.{percentile}: {seen_s * 1000:.3f} ms, {off_s * 1000:+.3f} off the log")
    return found


def _from_request(first_chunk: MetricSummary, log: list[Stream]) -> dict[str, float]:
    found = {}
    for percentile, q in JUDGED.items():
        truth_ns = quantile((each.before_ns[0] - each.asked_ns for each in log if each.before_ns), q)
        seen_s = first_chunk[percentile]  # type: ignore[literal-required]
        if truth_ns is not None and seen_s is not None:
            found[percentile] = seen_s - truth_ns / 1e9
    return found


def _generator(result: Result) -> dict[str, float | None]:
    generator = result["generator"]
    return {
        "lag_p99_s": generator["lag"]["p99"],
        "hub_lag_p99_s": generator["hub_lag"]["p99"],
        "longest_pause_s": generator["longest_pause_s"],
        "cpu_taken": generator["cpu_taken"],
        "cpu_max": generator["cpu_max"],
    }


def table(trials: Sequence[Trial]) -> str:
    """Return the table, with a line for each kind."""
    lines = [f"{'':<52}" + "".join(f"{column:>20}" for column in COLUMNS)]
    for name, kind in KINDS.items():
        mine = [each.column for each in trials if each.kind == name]
        if mine:
            lines.append(f"{kind.title:<52}" + "".join(f"{mine.count(column):>20}" for column in COLUMNS))
    return "\n".join(lines)


def asking(trials: Sequence[Trial]) -> str:
    """Return how far trusted runs are from a log that counts from the arrival of the request."""
    trusted = [each.from_request_s for each in trials if each.trust == "trusted"]
    parts = []
    for percentile in JUDGED:
        values_ms = sorted(each[percentile] * 1000 for each in trusted if percentile in each)
        if values_ms:
            parts.append(f"{percentile} {median(values_ms):+.2f} ({values_ms[0]:+.2f} to {values_ms[-1]:+.2f})")
    found = ", ".join(parts) or "none"
    return f"Trusted runs, time to first chunk minus the log's from request to send, ms, not judged: {found}"


def report(load: Load, trials: Sequence[Trial]) -> dict[str, Any]:
    """Return the content of the file of ``-o``."""
    return {
        "benchmark": "trust",
        "load": asdict(load),
        "right": {"relative": RELATIVE, "absolute_s": ABSOLUTE_S},
        "machine": facts(),
        "versions": versions(),
        "trials": [{**asdict(each), "column": each.column} for each in trials],
    }


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """Parse the options. Exits with status 2 if one is wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks trust", description=__doc__)
    parser.add_argument("--rounds", type=whole, default=5, help="runs of each kind, default %(default)s")
    parser.add_argument("--streams", type=whole, default=30, help="concurrent streams, default %(default)s")
    parser.add_argument("--seconds", type=positive, default=3, help="duration of each run, default %(default)s")
    parser.add_argument("--chunks", type=whole, default=16, help="chunks per stream, default %(default)s")
    parser.add_argument("--interval-ms", type=positive, default=30, help="time between chunks, default %(default)s")
    parser.add_argument(
        "--kind", action="append", choices=KINDS, help="run only this one; repeat the option for several"
    )
    add_output(parser)
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark, print its table and write its figures; return 1 if a wrong run was trusted."""
    options = parsed(arguments)
    load = Load(options.streams, options.seconds, options.chunks, options.interval_ms)
    trials: list[Trial] = []
    names = options.kind or list(KINDS)
    for number in range(1, options.rounds + 1):
        for name in names:
            found = trial(name, load)
            trials.append(found)
            said = "; ".join([*found.wrong, *(f"verdict: {each}" for each in found.reasons)])
            print(f"[{number}/{options.rounds}] {name}: {found.column}. {said}", file=sys.stderr, flush=True)
    print(table(trials), asking(trials), sep="\n")
    write_figures(options, report(load, trials))
    return int(any(each.column == COLUMNS[-1] for each in trials))


if __name__ == "__main__":
    sys.exit(main())
