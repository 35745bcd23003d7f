"""What a run under way says of itself."""

import subprocess
import sys

import pytest

SCRIPT = """
from argparse import Namespace
from types import SimpleNamespace
from unittest import mock
from locust.env import Environment
from streamgauge.load.run import run_report
from streamgauge.stats.second_report import SecondReport
environment = Environment()
environment.parsed_options = Namespace()
clock = SimpleNamespace(monotonic=lambda: now_s)
now_s = 1000.0
with mock.patch.object(run_report, "time", clock), mock.patch.object(run_report, "RunFigures") as figures:
    figures.of_run = lambda part, counted_s: counted_s
    report = run_report.RunReport(environment, distributed=True)
    report._rule_judge = SimpleNamespace(judged=lambda found: found(), outdate=lambda **_: None)
    report.add("a", [SecondReport(t_s, 0) for t_s in range(8)])
    now_s = 1010.9
    print(report.slo_so_far())
    now_s = 1012.0
    report.reset()
    print(report.slo_so_far())
    report.add("a", [SecondReport(t_s, 0) for t_s in range(12, 15)])
    now_s = 1016.0
    print(report.slo_so_far())
"""


def test_live_rates_of_the_rules_are_over_the_seconds_that_were_reported():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert [float(each) for each in done.stdout.split()] == pytest.approx([8, 0, 3])


PAGE = """
import sys
from argparse import Namespace
from locust.env import Environment
from streamgauge.load.run.run_report import RunReport
from streamgauge.load.web.live_data import rows, state_of
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.record import StreamRecord
from streamgauge.stats.second_report import SecondReport
from streamgauge.stats.stream_stats import StreamStats

def second(t_s, failed):
    stats = StreamStats()
    for _ in range(failed):
        stats.started += 1
        stats.end(StreamRecord("a", "sse", Outcome.TRUNCATED, 0.0, 1.0))
    part = SecondReport(t_s, 0, all_stats={("a", "sse"): stats})
    part.scheduled_arrivals = part.late_starts = failed
    return part

environment = Environment()
environment.parsed_options = Namespace(stream_warm_up="2s")
report = RunReport(environment, distributed=False, open_model=Namespace(record=None))
for t_s, failed in enumerate((7, 5, 3)):
    report.add("a", [second(t_s, failed)])
    found = state_of(report)
    print(found["failed"], found["arrivals"], sep="; ")

report = RunReport(environment, distributed=False)
for t_s in range(40):
    every = {(f"name {at}", "sse"): StreamStats() for at in range(12)}
    for at, stats in enumerate(every.values()):
        stats.started, stats.chunks = int(not t_s), at + 1
    report.add("a", [SecondReport(t_s, 12, all_stats=every)])
print(*(row["chunks_per_s"] for row in rows(report)), file=sys.stderr)
"""


@pytest.fixture(scope="module")
def page():
    done = subprocess.run([sys.executable, "-c", PAGE], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done


def test_each_of_many_names_has_its_rate_of_chunks_in_a_long_run(page):
    assert [float(rate) for rate in page.stderr.split()] == [*range(12, 0, -1)]


def test_the_page_counts_failures_and_arrivals_from_the_end_of_the_warm_up_on(page):
    assert page.stdout.splitlines() == [
        "7; 7 arrivals, 7 late, 0 dropped",
        "12; 12 arrivals, 12 late, 0 dropped",
        "3; 3 arrivals, 3 late, 0 dropped",
    ]
