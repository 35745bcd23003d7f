"""The tiles: each shows the figure that its title names, of the name that it says."""

from collections.abc import Callable

import pytest

from streamgauge.report.headline import Tile, tiles
from streamgauge.report.result import Result
from streamgauge.stats.uncertainty import QUANTILES

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


def test_a_percentile_with_too_few_values_is_marked_as_in_the_table(result: Result) -> None:
    for each in result["streams"]:
        if each["name"] != "quick":
            each["time_to_first_chunk"]["samples_needed"] = {"p99": 7}
    tile = by_title(result)["TTFC p99"]
    assert [each["value"] for each in (tile["figure"], *tile["by_name"])] == ["°24.1 ms", "°4.20 ms", "4.00 ms"]


def test_chunks_per_second_are_those_of_the_whole_run(result: Result) -> None:
    tile = by_title(result)["Chunks/s"]
    assert (tile["figure"]["value"], tile["note"]) == ("60.0", "600 chunks in 10.0 s: the mean of the whole run.")
    rates = [(each["name"], each["value"]) for each in tile["by_name"]]
    assert rates == [("broken", "30.0"), ("slow", "20.0"), ("quick", "10.0")]


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


def test_names_that_failed_are_listed_with_the_most_failures_first(result: Result) -> None:
    result["streams"][0]["outcomes"] = {"completed": 30, "stalled": 10}
    result["streams"][1]["outcomes"] = {"completed": 50, "stalled": 50}
    listed = [(each["name"], each["value"]) for each in by_title(result)["Failed"]["by_name"]]
    assert listed == [("slow", "50 (50.0 %)"), ("broken", "30 (75.0 %)"), ("quick", "10 (25.0 %)")]


@pytest.mark.parametrize("failures", [0, 1])
def test_only_failures_are_bad(result: Result, failures: int) -> None:
    for each in result["streams"]:
        each["outcomes"] = {"completed": 9, "censored": 1}
    result["streams"][1]["outcomes"]["stalled"] = failures
    found = by_title(result)
    bad = [title for title, tile in found.items() if tile["bad"]]
    assert bad == ["Failed"] * failures
    assert [each["name"] for each in found["Failed"]["by_name"]] == ["slow"] * failures


def test_two_names_are_both_listed(make_result: Callable[..., Result]) -> None:
    result = make_result(mix=MIX[:2], seconds=2)
    for each in result["streams"]:
        each["outcomes"] = {"stalled": 1}
    first, _, rate, failed = tiles(result)
    assert "slowest of 2 names" in first["note"]
    assert [len(tile["by_name"]) for tile in (first, rate, failed)] == [1, 2, 2]


def test_a_tile_says_of_how_many_values_its_percentile_is(make_result: Callable[..., Result]) -> None:
    result = make_result(mix=MIX[:1], seconds=2)
    result["streams"][0]["time_to_first_chunk"].update(count=1, p99=0.004)
    result["streams"][0]["chunk_interval"].update(count=1200, p99=0.005)
    first, between, *_ = tiles(result)
    assert (first["title"], first["figure"]["value"]) == ("TTFC p99", "4.00 ms")
    assert first["note"] == "99 % of 1 stream took at most this long."
    assert (between["title"], between["figure"]["value"]) == ("Interval p99", "5.00 ms")
    assert between["note"] == "99 % of 1,200 intervals took at most this long."


def test_a_tile_without_a_value_says_so(result: Result) -> None:
    for each in result["streams"]:
        each["outcomes"] = {"censored": 3}
        for metric in (each["time_to_first_chunk"], each["chunk_interval"]):
            metric["p99"] = None
    first, between, _, failed = tiles(result)
    assert (first["title"], first["note"]) == ("TTFC p99", "No stream was measured.")
    assert (between["title"], between["note"]) == ("Interval p99", "No interval was measured.")
    assert (failed["figure"]["value"], failed["note"]) == ("0", "No stream succeeded or failed.")
