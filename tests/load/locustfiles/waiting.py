"""A thread that shares its core with another process. Prints as JSON for how long it did not get to run, by its own
clocks and by the kernel's account; no Locust runs.
"""

import json
import os
import subprocess
import sys
import time

from streamgauge.stats.cpu_wait import CpuWait

wait = CpuWait()
core = min(os.sched_getaffinity(0))
os.sched_setaffinity(0, {core})
hog = subprocess.Popen([sys.executable, "-c", "while True: pass"])
try:
    time.sleep(0.2)
    begin_s, cpu_s, before_ns = time.monotonic(), time.thread_time(), wait.ns()
    while time.monotonic() < begin_s + 1.0:
        pass
    without_s = time.monotonic() - begin_s - (time.thread_time() - cpu_s)
    print(json.dumps({"without_the_cpu_s": without_s, "waited_s": (wait.ns() - before_ns) / 1e9}))
finally:
    hog.kill()
