"""Runs all tests, or with options those that pytest selects by them: ``python tools/run_tests.py [-m "not slow"]``.

Most tests mostly wait, so several parts of them run beside each other, each in a pytest of its own; the next part
begins when one has ended. The output of a part is shown once it has ended. Standard library only.
"""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: How many parts run at a time: on two cores, more would only wait for each other.
AT_ONCE = 6
#: Those that take longest come first. A part leaves out what another part names below one of its folders, so that the
#: last one has all tests that no other names. Tests of Docker are in one part: they build the same images.
PARTS = (
    ("tests/load",),
    ("tests/e2e",),
    ("tests/e2e/test_compose.py", "tests/e2e/test_own_service.py", "tests/deploy"),
    ("tests/target_app",),
    ("tests/client",),
    ("tests/monitoring",),
    ("tests/load/web/test_live_in_browser.py", "tests/load/web/test_live_page.py", "tests/load/web/test_runs.py"),
    ("tests/load/options", "tests/load/metrics", "tests/load/shapes"),
    ("tests/load/test_exit_status.py", "tests/load/test_trust.py", "tests/load/test_live_view.py"),
    ("tests/load/web",),
    ("tests/benchmarks",),
    ("tests/asgi",),
    ("tests/quick_run", "tests/runner", "tests/calibrate"),
    ("tests",),
    ("tests/report",),
)
#: Exit statuses of pytest: where a test failed, and where an option selects no test of a part.
FAILED, NO_TESTS = 1, 5


def command(*arguments: str) -> list[str]:
    """Pytest with these arguments."""
    return [sys.executable, "-m", "pytest", *arguments]


def paths(part: tuple[str, ...]) -> list[str]:
    """Pytest's arguments for the tests of a part."""
    others = [path for other in PARTS if other != part for path in other]
    return [*part, *(f"--ignore={each}" for each in others if any(Path(each).is_relative_to(path) for path in part))]


def run(part: tuple[str, ...], options: list[str]) -> int:
    """Run one part, and show what it says. Returns its exit status, which is 0 too where options select none of it."""
    began_s = time.monotonic()
    done = subprocess.run(
        command(*paths(part), *options), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    output = done.stdout.decode(errors="replace")
    sys.stdout.write(f"\n{' '.join(part)}: {time.monotonic() - began_s:.0f} s\n{output}")
    sys.stdout.flush()
    return 0 if options and done.returncode == NO_TESTS else done.returncode


def run_all(options: list[str]) -> int:
    """Run all parts, and name those that were not green. Returns the exit status."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        statuses = list(pool.map(lambda part: run(part, options), PARTS))
    found = [(part, status) for part, status in zip(PARTS, statuses, strict=True) if status]
    for part, status in found:
        other = f"was ended by signal {-status}" if status < 0 else f"ended with {status}"
        sys.stdout.write(f"{' '.join(part)}: {'failed' if status == FAILED else other}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(run_all(sys.argv[1:]))
