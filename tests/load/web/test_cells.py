"""The cells of the live table, in a process of its own, which ``import locust`` patches."""

import json
import subprocess
import sys

SCRIPT = """
import json
from streamgauge.load.web.live_data import _cells
from streamgauge.stats.stream_stats import StreamStats

def cell(exact, between):
    stats = StreamStats()
    for _ in range(exact):
        stats.start_delay.record_ns(3_000_000)
    for _ in range(between):
        stats.start_delay.record_between_ns(5_000_000, 1_000_000, 9_000_000)
    return _cells(stats, 0, None)["start_delay_p99"]

print(json.dumps([cell(0, 0), cell(999, 0), cell(1000, 0), cell(900, 100), cell(10, 10)]))
"""


def test_a_start_delay_has_the_marks_that_other_times_have():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=60)
    none, scarce, plain, uncertain, both = (text.replace("\N{NO-BREAK SPACE}", " ") for text in json.loads(done.stdout))
    assert (none, scarce, plain, uncertain) == ("–", "°3.00 ms", "3.00 ms", "≈ 5.00 ms")
    assert both.startswith("°≈ ")
