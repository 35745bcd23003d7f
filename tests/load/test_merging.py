"""The same streams, measured by one process and by four that report to a master: equal, bucket for bucket."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from streamgauge.stats.bounded_times import BoundedTimes

pytestmark = pytest.mark.timeout(600)

LOCUSTFILE = "tests/load/locustfiles/replay.py"
STREAMS, WORKERS = 240, 4
#: What only a language model's streams have.
OF_TOKENS = {
    "duration_per_token",
    *(f"time_per_output_token {part}" for part in BoundedTimes.PARTS),
}

#: The replayed streams end by their framing, which has a stamp, and a start delay is always known.
UNCERTAIN_DURATIONS = {
    f"{name} {part}" for name in ("duration", "service_time", "start_delay") for part in ("uncertain", "least", "most")
}


@pytest.fixture(scope="module")
def runs(start, until, tmp_path_factory, free_port):
    """The run and its totals, by how many processes streamed; both at once."""
    port = free_port()
    master = ("--master-bind-host", "127.0.0.1", "--master-bind-port", port, "--master-port", port)

    def play(processes, options):
        place = tmp_path_factory.mktemp("run")
        variables = {"REPLAY_STREAMS": STREAMS, "REPLAY_PROCESSES": processes, "REPLAY_TOTALS": place / "totals.json"}
        load = ("--headless", "-u", processes, "-r", 100, "-t", "300s", "--stop-timeout", 90, *options)
        running = start(*load, locustfile=LOCUSTFILE, result_dir=place, variables=variables)
        until(running.spawned, "each process plays")
        run = running.stop()
        assert run.results, run.output
        totals = json.loads((place / "totals.json").read_text())
        # In which second the slowest streams ended is not the same.
        return run, {name: value for name, value in totals.items() if not name.endswith(" slowest")}

    modes = {1: (), WORKERS: ("--processes", WORKERS, *master)}
    with ThreadPoolExecutor() as pool:
        return dict(zip(modes, pool.map(play, modes, modes.values()), strict=True))


def test_every_histogram_and_count_is_equal_bucket_for_bucket(runs):
    (_, one), (_, four) = runs[1], runs[WORKERS]
    assert one.keys() == four.keys()
    assert [name for name in one if one[name] != four[name] and name != "second_reports"] == []


def test_what_was_compared_is_not_empty(runs):
    _, totals = runs[WORKERS]
    histograms = {name: value for name, value in totals.items() if isinstance(value, list)}
    empty = [name for name, (_, count, *_) in histograms.items() if not count]
    assert {name.partition(" ")[2] for name in empty} == OF_TOKENS | UNCERTAIN_DURATIONS
    assert {name.partition(" ")[2] for name in empty if name.startswith("chat ")} <= UNCERTAIN_DURATIONS
    assert len(histograms) > 3 * 12
    assert sum(value for name, value in totals.items() if name.endswith(" started")) == STREAMS
    assert totals["events delay all"][1] == totals["events chunks"]


def test_workers_sent_what_they_counted_in_more_than_one_part(runs):
    run, totals = runs[WORKERS]
    assert run.result["run"]["workers"] == WORKERS
    assert totals["second_reports"] > WORKERS


def test_the_results_streams_are_equal_but_for_what_the_clock_and_the_processes_make_of_them(runs):
    one, four = (runs[processes][0].result["streams"] for processes in (1, WORKERS))
    for each in (*one, *four):
        assert each["chunk_delay_clock"].pop("pairs") in (1, WORKERS)
        for slow in (slow for found in each["slowest"].values() for slow in found):
            del slow["t_s"]
        (each["tokens_per_second"] or {}).pop("in_all", None)
    assert one == four
