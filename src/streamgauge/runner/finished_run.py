"""Run Locust to its end without a display, and return its output and results."""

import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from streamgauge.report.result import Result
from streamgauge.runner.load_plan import environment_without_locust, locust_command
from streamgauge.runner.process import Child
from streamgauge.runner.runs import results_in


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A Locust process that has ended."""

    status: int
    output: str
    """Its printed and logged output."""
    results: list[Result] = field(default_factory=list)
    """The results below ``--result-dir``, the oldest first."""

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


def run_locust(
    locustfile: str | Path,
    *options: object,
    result_dir: Path | None = None,
    timeout_s: float = 180,
    variables: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> FinishedRun:
    """Run Locust to its end. Raises subprocess.TimeoutExpired if that takes longer than ``timeout_s``."""
    command = locust_command(locustfile, *options, *(("--stream-result-dir", result_dir) if result_dir else ()))
    environment = environment_without_locust(variables)
    with tempfile.TemporaryDirectory(prefix="streamgauge-") as place:
        locust = Child("Locust", command, Path(place) / "locust.log", environment, cwd, ends_with_parent=False)
        try:
            status = locust.wait(timeout_s)
        finally:
            locust.end()
        return FinishedRun(status, locust.output, results_in(result_dir) if result_dir else [])
