"""What a process measures of itself, over one run and the next."""

import subprocess
import sys

SCRIPT = """
from gevent.monkey import get_original
from streamgauge.load.process_meter import ProcessMeter
block = get_original("time", "sleep")
meter = ProcessMeter()
meter.begin()
meter.leave_out_stop()
block(0.05)
meter.end()
meter.begin()
block(0.05)
meter.cut()
print(meter.take()[-1].longest_pause_s)
"""


def test_a_late_stop_leaves_nothing_out_of_the_next_run():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=60)
    assert float(done.stdout) >= 0.05
