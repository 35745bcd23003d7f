"""Levels, areas and texts of shapes."""

import subprocess
import sys
from pathlib import Path

from benchmarks.testbed.server import ROOT

#: Locust has to patch the process before anything else is imported.
RUN = "import sys, streamgauge.load, pytest; sys.exit(pytest.main(sys.argv[1:]))"


def test_what_holds_for_every_shape():
    scripts = sorted(Path(__file__).parent.glob("of_*.py"))
    options = ["-q", "-p", "no:cacheprovider", "-W", "default", *map(str, scripts)]
    command = [sys.executable, "-c", RUN, *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
