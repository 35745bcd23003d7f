"""The time in which a generator wanted to run and others had the CPU."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.testbed.server import ROOT

SCRIPT = Path(__file__).parent / "locustfiles" / "waiting.py"
SCHEDSTAT = Path("/proc/thread-self/schedstat")


@pytest.mark.skipif(not SCHEDSTAT.exists() or SCHEDSTAT.read_text().split()[0] == "0", reason="no account is kept")
def test_what_others_take_of_the_cpu_is_all_seen():
    done = subprocess.run([sys.executable, SCRIPT], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    found = json.loads(done.stdout)
    assert found["without_the_cpu_s"] > 0.1
    assert found["waited_s"] == pytest.approx(found["without_the_cpu_s"], rel=0.2)
