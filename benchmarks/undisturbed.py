"""Counts how often an undisturbed run is trusted: demos of different sizes, one after the other.

Each run is a ``streamgauge demo``. Start the benchmark on an idle machine: any other activity is a disturbance, which
the verdict rightly reports.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle, islice, product
from pathlib import Path
from typing import Any

from benchmarks.testbed.machine import facts, versions
from benchmarks.testbed.options import add_output, whole, write_figures
from streamgauge.runner.load_plan import environment_without_locust
from streamgauge.runner.runs import results_in

#: Users, seconds, and processes of the runs, in turn.
USERS, SECONDS, PROCESSES = (5, 10, 20, 50, 100), (10, 20, 30), (1, 2)
_LIMIT_S = 180


@dataclass(frozen=True, slots=True)
class Size:
    """The size of one run."""

    users: int
    seconds: int
    processes: int

    def __str__(self) -> str:
        return f"{self.users} users, {self.seconds} s, {self.processes} process{'es' if self.processes > 1 else ''}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one run came to."""

    size: Size
    trust: str
    reasons: list[str]
    generator: dict[str, Any]


def sizes() -> Iterator[Size]:
    """Repeat all sizes without end, in an order in which neighbours differ in all three."""
    every = [Size(*each) for each in product(USERS, SECONDS, PROCESSES)]
    step = 7  # prime to the 30 of them
    return cycle(every[number * step % len(every)] for number in range(len(every)))


def run(size: Size) -> Verdict:
    """Do one run."""
    with tempfile.TemporaryDirectory() as directory:
        demo = (Path(sys.executable).with_name("streamgauge"), "demo", "--quiet", "--result-dir", directory)
        options = ("--users", size.users, "--run-time", f"{size.seconds}s", "--processes", size.processes)
        done = subprocess.run(
            [*demo, *map(str, options)],
            env=environment_without_locust(),
            capture_output=True,
            text=True,
            timeout=_LIMIT_S,
        )
        results = results_in(Path(directory))
    if len(results) != 1:
        raise RuntimeError(f"expected one result, got {len(results)}:\n{done.stdout}{done.stderr}")
    generator = {key: results[0]["generator"].get(key) for key in ("cpu_taken", "cpu_max", "longest_pause_s")}
    return Verdict(size, results[0]["verdict"]["trust"], results[0]["verdict"]["reasons"], generator)


def summed_up(verdicts: Sequence[Verdict]) -> str:
    """Return a summary line, and a line for each run that was not trusted."""
    bad = [each for each in verdicts if each.trust != "trusted"]
    lines = [f"{len(verdicts) - len(bad)} of {len(verdicts)} runs trusted"]
    return "\n".join([*lines, *(f"  {each.size}: {each.trust}: {'; '.join(each.reasons)}" for each in bad)])


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """Parse the options. Exits with status 2 if one is wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks undisturbed", description=__doc__)
    parser.add_argument("--runs", type=whole, default=40, help="number of runs, default %(default)s")
    add_output(parser)
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark, print its summary and write its figures; return 1 if over 5 % of runs were not trusted."""
    options = parsed(arguments)
    verdicts: list[Verdict] = []
    for number, size in enumerate(islice(sizes(), options.runs), 1):
        verdicts.append(run(size))
        print(f"[{number}/{options.runs}] {size}: {verdicts[-1].trust}", file=sys.stderr, flush=True)
    print(summed_up(verdicts))
    runs = [asdict(each) for each in verdicts]
    write_figures(options, {"benchmark": "undisturbed", "machine": facts(), "versions": versions(), "runs": runs})
    return int(sum(each.trust != "trusted" for each in verdicts) > options.runs // 20)


if __name__ == "__main__":
    sys.exit(main())
