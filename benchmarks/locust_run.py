"""Runs of Locust, each in a process of its own, and what they left behind."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.testbed.server import ROOT
from streamgauge.report.result import Result, read_result


def command(locustfile: str | Path, *options: object) -> list[str]:
    """Locust on ``locustfile``, which is a path from the repository's root."""
    return [sys.executable, "-m", "locust", "-f", str(locustfile), *map(str, options)]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment without Locust's own variables, so that what a run does is in its command."""
    return {key: value for key, value in os.environ.items() if not key.startswith("LOCUST_")} | dict(extra or {})


@dataclass(frozen=True, slots=True)
class LocustRun:
    """A run that has ended."""

    status: int
    output: str
    """What it printed and logged."""
    results: list[Result] = field(default_factory=list)
    """Those of ``--result-dir``, oldest first."""

    @property
    def result(self) -> Result:
        """The only result."""
        (result,) = self.results
        return result

    @property
    def outcomes(self) -> Counter[str]:
        """Streams by outcome, over all names."""
        return sum((Counter(each["outcomes"]) for each in self.result["streams"]), Counter())

    @property
    def chunks(self) -> int:
        """Chunks over all names."""
        return sum(each["chunks"] for each in self.result["streams"])


def results_in(directory: Path) -> list[Result]:
    """The results below ``directory``, oldest first."""
    found = [read_result(path) for path in directory.glob("*/result.json")]
    return sorted(found, key=lambda result: result["run"]["started_at"])


def run_locust(
    locustfile: str | Path,
    *options: object,
    result_dir: Path | None = None,
    timeout_s: float = 180,
    variables: Mapping[str, str] | None = None,
) -> LocustRun:
    """Run Locust to its end. Raises TimeoutExpired when it takes longer than ``timeout_s``."""
    where = ("--result-dir", result_dir) if result_dir else ()
    done = subprocess.run(
        command(locustfile, *options, *where),
        cwd=ROOT,
        env=environment(variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=timeout_s,
    )
    return LocustRun(done.returncode, done.stdout, results_in(result_dir) if result_dir else [])
