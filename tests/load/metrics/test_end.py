"""A process whose client metrics are being scraped when it ends."""

import contextlib
import http.client
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from benchmarks.testbed.server import ROOT

PROCESSES = 4
CODE = """
from gevent import monkey
monkey.patch_all()
import gevent
from streamgauge.load.metrics.exporter import Exporter
print(Exporter(measuring=False).open("127.0.0.1", 0), flush=True)
gevent.sleep(0.3)
"""


def scraped_to_its_end(_):
    with subprocess.Popen([sys.executable, "-c", CODE], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        url = f"http://127.0.0.1:{process.stdout.readline().strip()}/metrics"
        while process.poll() is None:
            with (
                contextlib.suppress(OSError, http.client.HTTPException),
                urllib.request.urlopen(url, timeout=60) as reply,
            ):
                reply.read()
        return process.returncode


def test_a_process_that_is_scraped_as_it_ends_does_not_crash():
    with ThreadPoolExecutor(PROCESSES) as pool:
        assert list(pool.map(scraped_to_its_end, range(PROCESSES))) == [0] * PROCESSES
