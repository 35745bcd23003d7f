"""Users that are refused pause before they ask again: a real run against what refuses, and its result."""

from itertools import pairwise

import pytest

LOCUSTFILE = """
import time
from locust import task
from streamgauge.load import StreamUser

class Asker(StreamUser):
    @task
    def ask(self):
        record = self.play("/events", protocol="sse")
        print(f"asked {time.monotonic()} {record.outcome} {record.duration_s}\\n", end="", flush=True)
"""
#: With pauses of at most 1 s: 6 attempts until the longest one, then at most two a second.
LONGEST_S, RUN_S = 1.0, 4


@pytest.fixture
def run(start, tmp_path):
    locustfile = tmp_path / "scenario.py"
    locustfile.write_text(LOCUSTFILE)

    def against(url, *options, users=1, run_time=f"{RUN_S}s"):
        more = {"locustfile": locustfile, "result_dir": tmp_path / "results"}
        return start.headless(url, *options, users=users, run_time=run_time, **more).wait()

    return against


def asked_s(run):
    return [float(line.split()[1]) for line in run.output.splitlines() if line.startswith("asked ")]


def test_a_closed_port_is_asked_as_seldom_as_the_pauses_allow(run, free_port):
    done = run(f"http://127.0.0.1:{free_port()}")
    times = asked_s(done)
    gaps = [after - before for before, after in pairwise(times)]
    least = [LONGEST_S * 2.0**n / 2 for n in (-4, -3, -2, -1)]
    assert len(times) > 5
    assert all(gap >= least_s for gap, least_s in zip(gaps, least, strict=False))
    assert all(gap >= LONGEST_S / 2 for gap in gaps[4:])
    assert done.outcomes == {"connect_error": len(times)}


def test_pauses_are_counted_and_are_no_part_of_streams_nor_of_lag(run, free_port):
    done = run(f"http://127.0.0.1:{free_port()}")
    generator, times = done.result["generator"], asked_s(done)
    assert generator["refusal_pauses"] in (len(times) - 1, len(times))  # the last one is ended by the run's end
    assert RUN_S / 2 < generator["refusal_pause_s"] <= done.result["run"]["duration_s"]
    durations = [float(line.split()[3]) for line in done.output.splitlines() if line.startswith("asked ")]
    assert sum(durations) + generator["refusal_pause_s"] <= done.result["run"]["duration_s"]
    assert "refused users paused" in done.output


def test_pauses_of_workers_add_up(run, free_port, two_processes):
    done = run(f"http://127.0.0.1:{free_port()}", *two_processes(), users=4)
    generator, times = done.result["generator"], asked_s(done)
    assert len(times) - 4 <= generator["refusal_pauses"] <= len(times)
    assert done.outcomes == {"connect_error": len(times)}


@pytest.mark.parametrize("status", [401, 404, 429, 503])
def test_an_answer_that_refuses_is_followed_by_a_pause(run, recorder, status):
    done = run(f"{recorder.url}/status/{status}", run_time="2s")
    assert 4 < len(recorder.requests) <= 8
    assert done.result["generator"]["refusal_pauses"] >= len(recorder.requests) - 1


def test_a_stream_that_succeeds_is_followed_by_none(run, recorder):
    done = run(recorder.url, run_time="2s")
    assert done.result["generator"]["refusal_pauses"] == 0
    assert done.result["generator"]["refusal_pause_s"] == 0
    assert "refused users paused" not in done.output


def test_the_pause_can_be_switched_off(run, free_port):
    done = run(f"http://127.0.0.1:{free_port()}", "--refusal-pause", "0", run_time="1s")
    assert len(asked_s(done)) > 100
    assert done.result["generator"]["refusal_pauses"] == 0


@pytest.mark.parametrize("workers", [0, 2])
def test_a_longer_pause_does_not_hold_up_the_end_of_a_run(run, recorder, two_processes, workers):
    options = ("--refusal-pause", "600", "--stop-timeout", "300", *(two_processes() if workers else ()))
    done = run(f"{recorder.url}/status/503", *options, run_time="1s", users=2)
    assert done.result["generator"]["refusal_pauses"] == 2
    assert done.result["run"]["duration_s"] < 15 < 600 / 16 / 2  # the shortest that the first pause could be
