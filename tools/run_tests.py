"""Runs all tests in parts beside each other, since most tests mostly wait: ``python tools/run_tests.py``.

The last part's output is shown as it comes, that of the others once they have ended. Standard library only.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: Parts that take about as long each; all tests that are not named here are the last part.
PARTS = (
    ("tests/e2e", "tests/monitoring", "tests/quick_run"),
    (
        "tests/benchmarks",
        "tests/deploy",
        "tests/doors",
        "tests/client",
        "tests/asgi",
        "tests/wire",
        "tests/fuzz",
        "tests/stats",
        "tests/target_app",
    ),
    (
        "tests/load/metrics",
        "tests/load/options",
        "tests/load/shapes",
        "tests/load/web",
        "tests/model_servers",
        "tests/report",
    ),
)


def command(*arguments: str) -> list[str]:
    """Pytest with these arguments."""
    return [sys.executable, "-m", "pytest", *arguments]


def run_all() -> int:
    """Run all parts; return the first exit status that is not 0."""
    with tempfile.TemporaryDirectory() as directory:
        outputs = [Path(directory) / str(number) for number in range(len(PARTS))]
        beside = []
        for part, output in zip(PARTS, outputs, strict=True):
            with output.open("wb") as file:
                beside.append(subprocess.Popen(command(*part), cwd=ROOT, stdout=file, stderr=subprocess.STDOUT))
        others = [f"--ignore={path}" for part in PARTS for path in part]
        statuses = [subprocess.run(command(*others), cwd=ROOT, check=False).returncode]
        statuses += [process.wait() for process in beside]
        for part, output in zip(PARTS, outputs, strict=True):
            sys.stdout.write(f"\n{' '.join(part)}\n{output.read_text(errors='replace')}")
    return next((status for status in statuses if status), 0)


if __name__ == "__main__":
    sys.exit(run_all())
