"""``result.json`` of a scripted run stays as it is, key for key and count for count; its times are their machine's.

Where it is meant to change: ``GOLDEN=write make test ARGS=tests/load/golden``, and look at the difference.
"""

import collections
import json
import os
import re
from collections import Counter
from pathlib import Path

import pytest

GOLDEN = Path(__file__).with_name("result.json")
#: Counts that hang on when the machine had time to read.
READS = ("lag", "hub_lag")
COUNTS = ("started", "finished", "failed", "chunks", "bytes")


def shape(value):
    """A value without what differs from run to run: times, shares, addresses, names of versions."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [shape(each) for each in value]
    if isinstance(value, float):
        return "a float"
    return re.sub(r":\d{2,5}\b", ":PORT", value) if isinstance(value, str) else value


def metric(summary):
    """A distribution: how many values it has, and which statistics."""
    return summary and {**shape(summary), "hdr": "a text", "uncertain": "a mapping"}


def named(streams):
    slow = {by: [each["outcome"] for each in found] for by, found in streams["slowest"].items()}
    shapes = {key: metric(value) if is_metric(value) else shape(value) for key, value in streams.items()}
    return {**shapes, "slowest": slow}


def is_metric(value):
    return isinstance(value, dict) and "hdr" in value


def summed(points):
    """The counts of points, of which the machine decides in which second each falls."""
    return {count: sum(point[count] for point in points) for count in COUNTS}


def golden(result):
    """What has to be the same in every run."""
    run, generator = result["run"], result["generator"]
    points = result["timeline"]
    names = Counter()
    for point in points:
        for each in point["streams"]:
            names.update({f"{each['name']} {each['protocol']} {count}": each[count] for count in COUNTS})
    return {
        **result,
        "run": {**shape(run), "id": "a text", "started_at": "a text", "locustfile": "a path", "command": "a text"}
        | {"versions": sorted(run["versions"])},
        "verdict": sorted(result["verdict"]),
        "steady": {**result["steady"], "reason": re.sub(r"\d+ s;", "N s;", result["steady"]["reason"])},
        "streams": [named(each) for each in result["streams"]],
        "generator": {
            key: sorted(value) if key in READS else type(value).__name__
            for key, value in generator.items()
            if key != "calibration"  # that of this machine, if it has one
        },
        "history": past(result["history"]),
        "timeline": {
            "keys": sorted({key for point in points for key in point}),
            "keys by name": sorted({key for point in points for each in point["streams"] for key in each}),
            "all": summed(points),
            "by name": {key: names[key] for key in sorted(names)},
        },
    }


def past(history):
    """The counts of a run's history; when they fell differs from run to run."""
    outcomes, intervals = collections.Counter(), collections.Counter()
    for column in history["columns"]:
        outcomes.update(column["outcomes"])
        for each in column["intervals"]:
            intervals[f"{each['name']} {each['protocol']}"] += sum(times for _, times in each["counts"])
    return {
        "width_s": history["width_s"],
        "bounds": len(history["interval_bounds"]),
        "keys": sorted({key for column in history["columns"] for key in column}),
        "outcomes": dict(sorted(outcomes.items())),
        "intervals": sorted(intervals.values()),  # which names have their own depends on which come first
    }


@pytest.fixture(scope="module")
def found(run_locust, scripted, tmp_path_factory):
    url, locustfile = scripted
    load = ("--headless", "-u", 1, "-t", "120s", "--refusal-pause", 0, "--metrics-port", "off", "-H", url)
    run = run_locust(locustfile, *load, result_dir=tmp_path_factory.mktemp("results"))
    return json.loads(json.dumps(golden(run.result)))


def test_the_result_of_a_scripted_run_is_the_same_as_ever(found):
    if os.environ.get("GOLDEN") == "write":
        GOLDEN.write_text(json.dumps(found, indent=1) + "\n")
    expected = json.loads(GOLDEN.read_text())
    assert found == expected
    assert list(found) == list(expected)  # and in its order
