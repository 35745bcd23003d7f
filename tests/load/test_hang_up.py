"""The random choices of ``loadtests/hang_up.py``."""

import json
import subprocess
import sys
from pathlib import Path

HANG_UP = Path(__file__).parents[2] / "loadtests" / "hang_up.py"
SCRIPT = """
import json, runpy, sys
from types import SimpleNamespace
from locust import events
HangUp = runpy.run_path(sys.argv[1])["HangUp"]
runs = []
for _ in range(2):
    events.test_start.fire(environment=None)
    users = [SimpleNamespace(environment=SimpleNamespace(runner=None), value_of=lambda _: "1") for _ in range(3)]
    for user in users:
        HangUp.on_start(user)
    runs.append([user.random.random() for user in users])
print(json.dumps(runs))
"""


def test_a_second_run_in_a_process_makes_the_choices_of_the_first():
    command = [sys.executable, "-c", SCRIPT, str(HANG_UP)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    first, second = json.loads(done.stdout)
    assert first == second
    assert len(set(first)) == 3
