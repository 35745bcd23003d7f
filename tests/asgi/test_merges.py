"""The counts of several processes are added up in every family of the server, and in every part of each."""

import json
import subprocess
import sys
from collections import Counter

import pytest
from prometheus_client.parser import text_string_to_metric_families

from streamgauge.catalog import CATALOG

#: Two processes count different numbers in each family, and stay alive until the scrape is over.
WORK = """
import os, sys, urllib.request
from streamgauge.asgi import Instruments, prepare_multiprocess, serve_metrics
from streamgauge.asgi.metrics_directory import metrics_directory
from streamgauge.asgi.worker_liveness import mark_process_alive
prepare_multiprocess()
def work(process):
    mark_process_alive(metrics_directory(), measures=True)
    for at, name in enumerate(sorted(vars(Instruments.of()))):
        metric = vars(Instruments.of())[name]
        if not hasattr(metric, "labels"):
            continue
        child = metric.labels(*metric._labelnames) if metric._labelnames else metric
        number = 100 * (at + 1) + process
        if hasattr(child, "observe"):
            for _ in range(number):
                child.observe(0.003 * number)
        else:
            child.inc(number)
here, there = os.pipe(), os.pipe()
for process in (1, 2):
    if not os.fork():
        os.close(there[1])
        work(process)
        os.write(here[1], b".")
        os.read(there[0], 1)
        os._exit(0)
os.read(here[0], 1), os.read(here[0], 1)
with serve_metrics(0, "127.0.0.1") as server:
    print(urllib.request.urlopen(server.url, timeout=60).read().decode())
os.close(there[1])
os.wait(), os.wait()
"""


@pytest.fixture(scope="module")
def counted():
    """Return all samples of a scrape while both processes are alive, by family."""
    done = subprocess.run([sys.executable, "-c", WORK], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found = {}
    for family in text_string_to_metric_families(done.stdout):
        for sample in family.samples:
            found.setdefault(sample.name, {})[json.dumps(sample.labels, sort_keys=True)] = sample.value
    return found


SERVED = {name: metric for name, metric in CATALOG.items() if metric.side == "server" and "pid" not in metric.labels}
BY_TYPE = {
    kind: [name for name, metric in SERVED.items() if metric.type == kind] for kind in ("counter", "gauge", "histogram")
}


def only_of(counted, name):
    (found,) = (value for value in counted[name].values() if value)
    return found


def test_every_family_is_merged(counted):
    assert {name for metric in SERVED.values() for name in metric.series} <= set(counted)


def test_the_numbers_of_both_processes_are_added(counted):
    """Each number is 100 times the family's position, plus 1 in the first process and plus 2 in the second."""
    names = [*BY_TYPE["counter"], *BY_TYPE["gauge"]]
    sums = {name: only_of(counted, name) for name in names}
    sums |= {name: only_of(counted, f"{name}_count") for name in BY_TYPE["histogram"]}
    assert len(set(sums.values())) == len(sums) == len(SERVED)
    assert {value % 200 for value in sums.values()} == {3}


@pytest.mark.parametrize("name", BY_TYPE["histogram"])
def test_a_histogram_is_added_up_in_every_bucket(counted, name):
    total = only_of(counted, f"{name}_count")
    numbers = [(total - 3) / 2 + process for process in (1, 2)]
    buckets = {json.loads(labels)["le"]: value for labels, value in counted[f"{name}_bucket"].items()}
    expected = Counter()
    for bound in buckets:
        expected[bound] = sum(number for number in numbers if 0.003 * number <= float(bound))
    assert buckets == expected
    assert only_of(counted, f"{name}_sum") == pytest.approx(sum(0.003 * number * number for number in numbers))
