"""A recorded trace of prompts, replayed by two workers."""

import json

import pytest

LOCUSTFILE = "tests/load/locustfiles/replaying.py"
LENGTH_S = 2.0
#: The times of the trace in ms; several prompts came at once.
TIMES_MS = sorted([*range(5000, 7001, 100), 5500, 5500, 6100])


@pytest.fixture(scope="module")
def replayed(start, _server, two_processes, tmp_path_factory):
    folder = tmp_path_factory.mktemp("replayed")
    trace, log = folder / "trace.jsonl", folder / "log"
    recorded = [(time_ms, f"question {number}") for number, time_ms in enumerate(TIMES_MS)]
    latest_first = sorted(recorded, key=lambda each: -each[0])  # stable: those of one time stay in order
    trace.write_text("".join(json.dumps({"timestamp": at, "prompt": text}) + "\n" for at, text in latest_first))
    options = ("--headless", "-H", _server.url, "--chat-prompts", trace, "--arrivals", f"trace:{trace}", "-u", 30)
    found = start(
        *options, "--metrics-port", "off", *two_processes(),
        locustfile=LOCUSTFILE, result_dir=folder / "results", variables={"REPLAYING_LOG": log},
    )  # fmt: skip
    run = found.wait()
    return run, [json.loads(line) for line in log.read_text().splitlines()]


def test_each_arrival_of_a_trace_asks_its_own_question_at_its_time(replayed):
    run, calls = replayed
    assert len({call["process"] for call in calls}) == 2, run.output
    asked = sorted((*call["arrival"][:2], call["question"]) for call in calls)
    assert asked == [
        (number, pytest.approx((at_ms - 5000) / 1000), f"question {number}") for number, at_ms in enumerate(TIMES_MS)
    ]
    assert {call["outcome"] for call in calls} == {"completed"}


def test_a_run_of_several_workers_ends_once_the_last_arrival_has_been_served(replayed):
    run, _ = replayed
    assert "The last arrival has been served" in run.output
    # Workers report every 3 s: a master that waited for a report of each after the end would take 6 s at least.
    assert run.result["timeline"][-1]["t_s"] < LENGTH_S + 5
