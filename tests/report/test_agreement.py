from collections.abc import Callable
from typing import Any

import pytest

from streamgauge.report.agreement import agreement, side_by_side
from streamgauge.report.result import Result
from streamgauge.report.server_view import server_view


def test_equal_totals_are_said_to_be_equal(make_result: Callable[..., Result], server: Any) -> None:
    result = make_result()
    before = server.scrape()
    server.serve(result)
    lines = agreement(result, server_view(before, server.scrape()))
    assert all(line["equal"] and not line["why"] for line in lines)
    chunks = sum(each["chunks"] for each in result["streams"])
    assert f"chunks: client {chunks:,} = server {chunks:,} ✓" in [line["text"] for line in lines]


def test_each_name_that_is_a_route_is_compared_too(make_result: Callable[..., Result], server: Any) -> None:
    result = make_result()
    server.streamed("/stream/sse", "sse", streams=1, chunks=1, size=1)
    lines = agreement(result, server_view("", server.scrape()))
    assert [line["name"] for line in lines] == ["", "", "", *["/stream/sse"] * 3]
    assert lines[3]["subject"] == "streams finished"
    assert lines[3]["text"].startswith("/stream/sse streams finished: client ")


def test_a_difference_says_by_how_much_and_why_it_may_be(make_result: Callable[..., Result], server: Any) -> None:
    result = make_result(failing=0)
    server.serve(result)
    server.streamed("/stream/sse", "sse", streams=0, chunks=5, size=0)
    _, chunks, sizes = agreement(result, server_view("", server.scrape()))[:3]
    assert not chunks["equal"]
    assert chunks["text"].endswith("the server has 5 more")
    assert "8 streams did not complete (8 censored)" in chunks["why"]
    assert sizes["equal"]


def test_without_a_cause_on_the_client_others_are_suspected(make_result: Callable[..., Result], server: Any) -> None:
    result = make_result(failing=0)
    for each in result["streams"]:
        each["outcomes"].pop("censored")
    lines = agreement(result, server_view("", server.scrape()))
    assert "the client has" in lines[0]["text"]
    assert "other clients used the server" in lines[0]["why"]


def test_streams_that_never_reached_the_server_are_a_cause(make_result: Callable[..., Result], server: Any) -> None:
    result = make_result(failing=0)
    result["streams"][0]["outcomes"] = {"completed": 1, "connect_error": 3, "http_error": 1}
    why = agreement(result, server_view("", server.scrape()))[0]["why"]
    assert "3 streams never reached the server" in why
    assert "The server may not have counted 1 http_error:" in why


def test_each_total_is_the_sum_over_all_names_and_routes(make_result: Callable[..., Result], server: Any) -> None:
    result = make_result()
    for number, each in enumerate(result["streams"][:2]):
        each["outcomes"] = {"completed": 3 + number, "aborted": 10}
        each["chunks"], each["bytes"] = 500 + number, 70_000 + number
    result["streams"] = result["streams"][:2]
    for number in range(3):
        server.streamed(f"/{number}", "sse", streams=20 + number, chunks=900 + number, size=8000 + number)
    lines = agreement(result, server_view("", server.scrape()))[:3]
    assert [(line["subject"], line["client"], line["server"]) for line in lines] == [
        ("streams finished", 3 + 4 + 20, 20 + 21 + 22),
        ("chunks", 500 + 501, 900 + 901 + 902),
        ("bytes", 70_000 + 70_001, 8000 + 8001 + 8002),
    ]


@pytest.mark.parametrize(("names", "compared"), [(1, [""]), (2, ["", "a"])])
def test_one_name_alone_is_compared_in_the_total_alone(
    make_result: Callable[..., Result], server: Any, names: int, compared: list[str]
) -> None:
    result = make_result(mix=(("a", "sse", 0.01, 0.05), ("b", "sse", 0.01, 0.05))[:names], seconds=2)
    server.streamed("a", "sse", streams=1, chunks=1, size=1)
    lines = agreement(result, server_view("", server.scrape()))
    assert [line["name"] for line in lines] == [name for name in compared for _ in range(3)]


def test_a_name_is_compared_over_all_of_its_protocols(make_result: Callable[..., Result], server: Any) -> None:
    mix = (("a", "sse", 0.01, 0.05), ("b", "sse", 0.01, 0.05), ("a", "raw", 0.01, 0.05))
    result = make_result(mix=mix, seconds=2)
    for number, each in enumerate(result["streams"]):
        each.update(outcomes={"completed": 5 + number}, chunks=100 * (number + 1), bytes=7000 + number)
        server.streamed(each["name"], each["protocol"], streams=30 + number, chunks=40 + number, size=50 + number)
    lines = {
        (line["name"], line["subject"]): (line["client"], line["server"])
        for line in agreement(result, server_view("", server.scrape()))
    }
    assert lines["a", "streams finished"] == (5 + 7, 30 + 32)
    assert lines["a", "chunks"] == (100 + 300, 40 + 42)
    assert lines["a", "bytes"] == (7000 + 7002, 50 + 52)
    assert lines["b", "chunks"] == (200, 41)


@pytest.mark.parametrize(
    ("outcomes", "said", "unsaid"),
    [
        ({"completed": 4, "connect_error": 1}, ["1 stream never reached"], ["http_error", "not complete", "other"]),
        ({"completed": 4, "http_error": 2}, ["not have counted 2 http_errors"], ["never reached", "other clients"]),
        ({"aborted": 2, "stalled": 1}, ["3 streams did not complete (2 aborted, 1 stalled)"], ["never"]),
        ({"completed": 4}, ["other clients"], ["never reached", "http_error", "not complete"]),
        ({"stalled": 1, "connect_error": 2}, ["(1 stalled)", ". 2 streams never reached"], ["other clients"]),
    ],
    ids=str,
)
def test_each_cause_of_a_difference_is_said_where_it_can_be_one(
    make_result: Callable[..., Result], server: Any, outcomes: dict[str, int], said: list[str], unsaid: list[str]
) -> None:
    result = make_result(mix=(("a", "sse", 0.01, 0.05),), seconds=2)
    result["streams"][0]["outcomes"] = outcomes
    why = agreement(result, server_view("", server.scrape()))[0]["why"]
    assert [words for words in said if words not in why] == []
    assert [words for words in unsaid if words in why] == []


def test_routes_stand_beside_the_clients_streams_in_its_order(make_result: Callable[..., Result], server: Any) -> None:
    mix = (("b", "sse", 0.01, 0.05), ("a", "raw", 0.01, 0.05), ("a", "sse", 0.01, 0.05))
    result = make_result(mix=mix, seconds=2)
    for route, protocol in (("0", "sse"), ("a", "raw"), ("a", "sse"), ("b", "raw"), ("b", "sse")):
        server.streamed(route, protocol, streams=1, chunks=1, size=1)
    found = side_by_side(result, server_view("", server.scrape()))
    own = result["streams"]
    assert [(route["route"], route["protocol"], streams) for route, streams in found] == [
        ("b", "sse", own[0]),
        ("a", "raw", own[1]),
        ("a", "sse", own[2]),
        ("0", "sse", None),
        ("b", "raw", None),
    ]
