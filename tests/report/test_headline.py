"""The tiles: each shows the figure that its title names, of the name that it says."""

from collections.abc import Callable

import pytest

from streamgauge.report.headline import Tile, tiles
from streamgauge.report.result import QUANTILES, Result

MIX = (("quick", "sse", 0.01, 0.05), ("slow", "sse", 0.01, 0.05), ("broken", "raw", 0.01, 0.05))


@pytest.fixture
def result(make_result: Callable[..., Result]) -> Result:
    """Three names with figures of their own; no two of the percentiles are alike."""
    result = make_result(mix=MIX, seconds=2, failing=0)
    for position, each in enumerate(result["streams"]):
        for start, metric in ((1, "time_to_first_chunk"), (6, "chunk_interval")):
            for step, percentile in enumerate(QUANTILES):
                each[metric][percentile] = (start + step + 20 * (position % 2)) / 1000 + position / 10_000
        each["chunks"] = 100 * (position + 1)
        each["outcomes"] = {"completed": 90, "censored": 10}
    result["streams"][2]["outcomes"] = {"completed": 10, "truncated": 20, "stalled": 10, "censored": 7}
    result["run"].update(duration_s=10.0)
    return result


def by_title(result: Result) -> dict[str, Tile]:
    return {tile["title"]: tile for tile in tiles(result)}


def test_percentiles_are_the_slowest_names_own_and_the_others_follow(result: Result) -> None:
    found = by_title(result)
    first, between = found["TTFC p99"], found["Interval p99"]
    assert (first["figure"]["value"], first["figure"]["name"]) == ("24.1 ms", "slow")
    assert [(each["name"], each["value"]) for each in first["by_name"]] == [("broken", "4.20 ms"), ("quick", "4.00 ms")]
    assert (between["figure"]["value"], between["figure"]["name"]) == ("29.1 ms", "slow")
    assert [each["value"] for each in between["by_name"]] == ["9.20 ms", "9.00 ms"]
    assert "slowest of 3 names" in first["note"]


def test_chunks_per_second_are_those_of_the_whole_run(result: Result) -> None:
    tile = by_title(result)["Chunks/s"]
    assert (tile["figure"]["value"], tile["note"]) == ("60.0", "600 chunks in 10.0 s: the mean of the whole run.")
    assert {each["name"]: each["value"] for each in tile["by_name"]} == {
        "quick": "10.0",
        "slow": "20.0",
        "broken": "30.0",
    }


def test_failed_streams_are_counted_with_their_share_of_those_that_were_not_cut_short(result: Result) -> None:
    tile = by_title(result)["Failed"]
    assert tile["figure"]["value"] == "30 (13.6 %)"
    assert tile["note"] == "Of 220 streams that succeeded or failed."
    assert [(each["name"], each["value"]) for each in tile["by_name"]] == [("broken", "30 (75.0 %)")]
    assert tile["bad"]


def test_an_uncertain_percentile_is_marked_with_its_range(result: Result) -> None:
    result["streams"][1]["chunk_interval"]["uncertain"] = {"p90": (0.001, 0.002), "p99": (0.02, 0.03)}
    found = by_title(result)
    assert (found["Interval p99"]["figure"]["value"], found["Interval p99"]["figure"]["range"]) == (
        "≈ 29.1 ms",
        "20.0–30.0 ms",
    )
    assert found["TTFC p99"]["figure"]["range"] == ""


def test_one_name_needs_no_name(make_result: Callable[..., Result]) -> None:
    for tile in tiles(make_result(mix=MIX[:1], seconds=2)):
        assert (tile["figure"]["name"], tile["by_name"]) == ("", [])


def test_one_name_with_two_protocols_is_told_apart(make_result: Callable[..., Result]) -> None:
    first = tiles(make_result(mix=(MIX[0], ("quick", "raw", 0.5, 0.05)), seconds=2))[0]
    assert first["figure"]["name"] == "quick (raw)"


def test_many_names_are_not_all_listed(make_result: Callable[..., Result]) -> None:
    first, _, rate, _ = tiles(make_result(mix=tuple((f"n{n}", "sse", 0.01, 0.05) for n in range(10)), seconds=2))
    assert (len(first["by_name"]), first["more"]) == (6, 3)
    assert (len(rate["by_name"]), rate["more"]) == (6, 4)


def test_without_streams_there_is_nothing_to_say(make_result: Callable[..., Result]) -> None:
    values = [tile["figure"]["value"] for tile in tiles(make_result(mix=(), seconds=1))]
    assert values == ["–", "–", "0", "0"]
