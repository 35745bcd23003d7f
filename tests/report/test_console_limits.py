"""The lines below the terminal's table: which of them stand there, and where they end."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from streamgauge.report.console import print_table
from streamgauge.report.result import Result
from streamgauge.report.server_view import ServerView, server_view


@pytest.fixture
def result(make_result: Callable[..., Result]) -> Result:
    mix = (("a", "sse", 0.01, 0.05), ("b", "raw", 0.01, 0.05))
    result = make_result(mix=mix, seconds=2, failing=0)
    for each in result["streams"]:
        each["outcomes"] = {"completed": 10}
    return result


def printed(result: Result, server: ServerView | None = None, width: int = 200) -> list[str]:
    out = io.StringIO()
    print_table(result, server, Console(file=out, width=width, highlight=False))
    return out.getvalue().splitlines()


@pytest.mark.parametrize(
    ("reasons", "last"),
    [
        (9, "✗ 1 × a: stalled: 1"),
        (10, "✗ 1 × a: stalled: 1"),
        (11, "✗ and 1 more reason"),
        (12, "✗ and 2 more reasons"),
    ],
)
def test_ten_reasons_are_shown_and_the_others_counted(result: Result, reasons: int, last: str) -> None:
    result["streams"][0]["reasons"] = {f"stalled: {times}": times for times in range(1, reasons + 1)}
    found = [line for line in printed(result) if line.startswith("✗ ") and "failed" not in line]
    assert found[-1] == last
    assert found[0] == f"✗ {reasons} × a: stalled: {reasons}"
    assert len(found) == min(reasons, 11)


@pytest.mark.parametrize(
    ("count", "last"), [(10, "  - why 9"), (11, "  and 1 more reason"), (30, "  and 20 more reasons")]
)
def test_so_are_ten_reasons_of_the_verdict(result: Result, count: int, last: str) -> None:
    result["verdict"]["reasons"] = [f"why {number}" for number in range(count)]
    assert printed(result)[-1] == last


def test_what_stands_below_the_table_for_each_name_is_limited_too(result: Result) -> None:
    result["streams"] = [{**result["streams"][0], "name": str(name), "lost": 1} for name in range(12)]  # type: ignore[typeddict-unknown-key]
    found = [line for line in printed(result) if line.startswith("· ")]
    assert found[9:11] == ["· 9: sequence numbers: 1 lost", "· and 2 more remarks"]


def test_reasons_of_all_names_come_with_the_most_frequent_first(result: Result) -> None:
    result["streams"][0]["reasons"] = {"stalled: x": 5, "truncated: y": 1}
    result["streams"][1]["reasons"] = {"stalled: x": 1300, "truncated: y": 3}
    found = [line for line in printed(result) if " × " in line]
    assert found == [
        "✗ 1,300 × b: stalled: x",
        "✗ 5 × a: stalled: x",
        "✗ 3 × b: truncated: y",
        "✗ 1 × a: truncated: y",
    ]


@pytest.mark.parametrize(
    ("field", "one", "several"),
    [
        ("late_starts", "1 late start", "2 late starts"),
        ("dropped_arrivals", "1 dropped arrival", "2 dropped arrivals"),
        ("clock_steps", "1 clock step", "2 clock steps"),
    ],
)
def test_what_went_wrong_in_the_generator_is_counted(result: Result, field: Any, one: str, several: str) -> None:
    for times, words in enumerate(("", f" · {one}", f" · {several}")):
        result["generator"][field] = times  # type: ignore[literal-required]
        text = " ".join(" ".join(printed(result)).split())
        assert f" · kernel timestamps · CPU max 42.0 %{words} ✓ trusted, passed" in text


def test_a_run_that_was_interrupted_says_so(result: Result) -> None:
    for interrupted in (False, True):
        result["run"]["interrupted"] = interrupted
        assert ("✓ trusted, passed" + ", interrupted" * interrupted) in printed(result)


def test_columns_without_room_are_named_with_the_file_that_has_them(result: Result, server: Any) -> None:
    server.serve(result)
    view = server_view("", server.scrape())
    assert not [line for line in printed(result, view, width=200) if "left out" in line]
    text = " ".join(" ".join(printed(result, view, width=60)).split())
    client, of_server = (text.split("· left out at this width: ")[at] for at in (1, 2))
    assert client.startswith("coalesced, ")
    assert "; the report and result.json have them" in client
    assert of_server.startswith("body")
    assert "; the report and server.json have them" in of_server


def test_of_single_routes_only_those_that_differ_are_shown_with_one_reason(result: Result, server: Any) -> None:
    server.serve(result)
    equal = [line for line in printed(result, server_view("", server.scrape())) if line.startswith("✓ ")]
    assert [line.partition(":")[0] for line in equal] == [
        "✓ streams finished",
        "✓ chunks",
        "✓ bytes",
        "✓ trusted, passed",
    ]
    server.streamed("b", "raw", streams=0, chunks=5, size=6)
    lines = printed(result, server_view("", server.scrape()))
    assert [line.partition(":")[0] for line in lines if line.startswith("≠ ")] == [
        "≠ chunks",
        "≠ bytes",
        "≠ b chunks",
        "≠ b bytes",
    ]
    assert " ".join(lines).count("Every stream of the client completed") == 1


def test_a_run_without_failures_or_a_calibration_does_not_speak_of_them(result: Result) -> None:
    text = "\n".join(printed(result))
    assert "calibrated" not in text
    assert "✗" not in text
    assert "≈" not in text
    assert "≤" not in text


def test_totals_that_agree_are_marked_once(result: Result, server: Any) -> None:
    server.serve(result)
    chunks = f"{sum(each['chunks'] for each in result['streams']):,}"
    assert f"✓ chunks: client {chunks} = server {chunks}" in printed(result, server_view("", server.scrape()))


GREEN, YELLOW, RED = "\x1b[1;32m", "\x1b[1;33m", "\x1b[1;31m"


@pytest.mark.parametrize(
    ("trust", "exit_code", "shown"),
    [
        ("trusted", 0, f"{GREEN}trusted\x1b[0m, {GREEN}passed\x1b[0m"),
        ("trusted", 1, f"{GREEN}trusted\x1b[0m, {RED}failed\x1b[0m"),
        ("degraded", 0, f"{YELLOW}degraded\x1b[0m, {GREEN}passed\x1b[0m"),
        ("invalid", 3, f"{RED}invalid\x1b[0m, {RED}not judged\x1b[0m"),
    ],
)
def test_a_verdict_has_the_colour_of_what_it_says(result: Result, trust: Any, exit_code: int, shown: str) -> None:
    result["verdict"].update(trust=trust, exit_code=exit_code)
    out = io.StringIO()
    print_table(
        result, None, Console(file=out, width=200, force_terminal=True, color_system="standard", highlight=False)
    )
    assert shown in out.getvalue()
