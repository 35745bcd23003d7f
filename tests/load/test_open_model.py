"""Real runs of the open model against a service that stands still for a while, and the closed model beside it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.testbed.server import ROOT

LOCUSTFILE = "tests/load/locustfiles/arriving.py"
SERVER = Path(__file__).parent / "servers" / "freezing.py"
FREEZE_S = 1.5
OPEN = ("--arrivals", "poisson:80/s", "--seed", "7", "--metrics-port", "off")


class Run:
    """A run that has ended: what Locust printed, the result, and what users wrote."""

    def __init__(self, finished, log):
        self.finished, self.output = finished, finished.output
        self.result = finished.result
        self.calls = [json.loads(line) for line in log.read_text().splitlines()]
        (self.streams,) = (each for each in self.result["streams"] if each["name"] == "/events")
        self.generator = self.result["generator"]

    @property
    def slow(self):
        """Streams that the freeze delayed by two thirds of it or more, from where their times begin."""
        return [call for call in self.calls if call["first_s"] > FREEZE_S * 2 / 3]


@pytest.fixture(scope="module")
def serve():
    started = []

    def one(after_s, for_s):
        command = [sys.executable, SERVER, str(after_s), str(for_s)]
        started.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True))
        return f"http://127.0.0.1:{int(started[-1].stdout.readline())}"

    yield one
    for each in started:
        each.kill()
        each.wait()
        each.stdout.close()


@pytest.fixture(scope="module")
def runs(start, serve, two_processes, tmp_path_factory):
    """One run with a freeze, alone; one without in two workers; and one of the closed model with a freeze."""
    folder = tmp_path_factory.mktemp("runs")

    def begin(name, url, *options, **variables):
        log = folder / name
        found = start(
            *("--headless", "-H", url, "-t", "5s", "--stop-timeout", "60", *options),
            locustfile=LOCUSTFILE,
            result_dir=folder / f"results of {name}",
            variables={"ARRIVING_LOG": log, **variables},
        )
        return found, log

    alone = begin("alone", serve(1.5, FREEZE_S), *OPEN)
    closed = begin("closed", serve(1.5, FREEZE_S), "-u", 4, "-r", 100, "--metrics-port", "off")
    ended = {"alone": Run(alone[0].wait(), alone[1]), "closed": Run(closed[0].wait(), closed[1])}
    shared = begin("shared", serve(1000, 0), *OPEN, *two_processes(), TWICE="1")
    return ended | {"shared": Run(shared[0].wait(), shared[1])}


@pytest.mark.parametrize(("name", "workers"), [("alone", 1), ("shared", 2)])
def test_no_arrival_is_missing_or_doubled(runs, name, workers):
    run = runs[name]
    numbers = sorted(call["arrival"][0] for call in run.calls)
    assert len(numbers) > 200, run.output
    assert len(set(numbers)) == len(numbers) == run.streams["started"] == run.streams["outcomes"]["completed"]
    dropped = run.generator["dropped_arrivals"]
    assert run.generator["scheduled_arrivals"] == len(numbers) + dropped
    # each worker starts every arrival of its own until it stops, which the workers need not do at once
    last = [max(number for number in numbers if number % workers == place) for place in range(workers)]
    assert len(numbers) + dropped >= sum(number // workers + 1 for number in last)


def test_one_and_two_processes_have_the_same_arrivals_at_the_same_times(runs):
    alone, shared = (
        {call["arrival"][0]: call["arrival"][1] for call in runs[name].calls} for name in ("alone", "shared")
    )
    both = alone.keys() & shared.keys()
    assert len(both) > 200
    assert {number: alone[number] for number in both} == {number: shared[number] for number in both}


def test_the_freeze_is_in_the_times_of_the_open_model_and_hardly_in_those_of_the_closed_one(runs):
    alone, closed = runs["alone"], runs["closed"]
    assert alone.streams["time_to_first_chunk"]["p99"] > 0.9 * FREEZE_S
    assert len(alone.slow) > 10
    assert len(closed.slow) <= 4
    assert len(closed.calls) > 100


def test_times_count_from_the_schedule_and_service_times_stand_beside_them(runs):
    alone, streams = runs["alone"], runs["alone"].streams
    for metric in ("start_delay", "service_time_to_first_chunk", "service_time"):
        assert streams[metric]["count"] == streams["started"], metric
    # sums are exact: of each stream, its time is its delay and its service time
    parts = streams["start_delay"]["mean"], streams["service_time"]["mean"]
    assert sum(parts) == pytest.approx(streams["duration"]["mean"], rel=1e-6)
    assert all(0 <= call["delay_s"] <= call["first_s"] <= call["duration_s"] for call in alone.calls)


def test_only_the_first_stream_of_an_iteration_counts_from_the_schedule(runs):
    assert all(call["delay_s"] is not None and call["second_delay_s"] is None for call in runs["shared"].calls)
    (second,) = (each for each in runs["shared"].result["streams"] if each["name"] == "/second")
    assert second["start_delay"] is None
    assert second["started"] == runs["shared"].streams["started"]


def test_the_result_says_how_the_run_can_be_repeated_and_what_became_of_the_rate(runs):
    for name, workers in (("alone", 1), ("shared", 2)):
        run, arrivals = runs[name].result["run"], runs[name].result["run"]["arrivals"]
        assert (run["load_model"], run["users"], run["workers"]) == ("open", 1000, workers)
        assert (arrivals["process"], arrivals["seed"]) == ("poisson:80/s", 7)
        assert arrivals["wanted_per_s"] == pytest.approx(80)
        scheduled = runs[name].generator["scheduled_arrivals"]
        assert arrivals["scheduled_per_s"] * arrivals["duration_s"] == pytest.approx(scheduled)
        assert "--stream-arrivals poisson:80/s" in run["command"]
        assert "--stream-seed 7" in run["command"]
        counted = sum(point.get("scheduled_arrivals", 0) for point in runs[name].result["timeline"])
        assert counted == scheduled
    closed = runs["closed"].result["run"]
    assert closed["load_model"] == "closed"
    assert "arrivals" not in closed


def test_the_terminal_shows_the_rates_and_the_limit(runs):
    output = runs["alone"].output
    assert "At most 1000 streams under way; set --users for another limit" in output
    assert "open model poisson:80/s: 80/s wanted, " in output.replace("80.0/s", "80/s")
    assert "start delay" in output
    assert "open model" not in runs["closed"].output


@pytest.mark.parametrize("name", ["alone", "shared", "closed"])
def test_all_of_it_passes(runs, name):
    code = runs[name].result["verdict"]["exit_code"]
    assert runs[name].finished.status == code
    assert code == (3 if runs[name].result["verdict"]["trust"] == "invalid" else 0), runs[name].output
