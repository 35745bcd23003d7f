"""The terminal's table of whole streams: durations, and tokens where any came."""

import io
import re
from typing import Any

import pytest
from rich.console import Console

from streamgauge.report import units
from streamgauge.report.console import print_table
from streamgauge.report.html import render
from streamgauge.report.result import Result
from tests.report.printed import columns_of, ms


def printed(result: Result, width: int = 1000) -> str:
    out = io.StringIO()
    print_table(result, None, Console(file=out, width=width, highlight=False))
    return out.getvalue()


def expected_of_whole_streams(each: Any) -> dict[str, str]:
    found = {
        f"{title} {percentile}": f"≈{ms(each[metric][percentile])}"
        for metric, title in (("duration", "duration"), ("time_per_output_token", "per token"))
        for percentile in (("p50", "p99") if metric in each else ())
    }
    found |= {"prompt tokens": str(each["prompt_tokens"]), "output tokens": str(each["tokens"])}
    return found | {"tokens per s": units.significant(each["tokens"] / 4)}


def test_each_cell_of_the_table_of_whole_streams_is_its_columns_figure(distinct: Result) -> None:
    rows = columns_of(whole_streams(printed(distinct)))
    streams: Any = distinct["streams"]
    total = {count: sum(each[count] for each in streams) for count in ("prompt_tokens", "tokens")}
    assert rows == [
        *({"": each["name"]} | expected_of_whole_streams(each) for each in distinct["streams"]),
        {"": "all"} | expected_of_whole_streams(total),
    ]


def whole_streams(text: str) -> str:
    """The part of the terminal's text that begins with the second table, with all lines of its heading."""
    lines = text.splitlines()
    name = next(at for at, line in enumerate(lines) if line.startswith("whole streams"))
    first = next(at for at in range(name, 0, -1) if not lines[at - 1])
    return "\n".join(lines[first:])


def test_streams_without_tokens_have_no_columns_for_them_and_runs_without_an_end_no_such_table(
    distinct: Result,
) -> None:
    for each in distinct["streams"]:
        each |= {"tokens": 0, "prompt_tokens": 0, "time_per_output_token": None}  # type: ignore[typeddict-item]
    assert set(columns_of(whole_streams(printed(distinct)))[0]) == {"", "duration p50", "duration p99"}
    assert "Output tokens" not in render(distinct)
    for each in distinct["streams"]:
        each["duration"]["count"] = 0
    assert "whole streams" not in printed(distinct)


@pytest.mark.parametrize("width", [80, 79, 100])
def test_the_table_of_whole_streams_fits_a_terminal(distinct: Result, width: int) -> None:
    for at, each in enumerate(distinct["streams"], 1):
        each.update(name=f"/v{at}/chat/completions", tokens=1_234_567, prompt_tokens=7_654_321)
    text = printed(distinct, width)
    assert max(map(len, text.splitlines())) <= width
    first: Any = distinct["streams"][0]
    times = [
        f"≈{ms(first[metric][name])}" for metric in ("duration", "time_per_output_token") for name in ("p50", "p99")
    ]
    assert re.search(rf"^/v1/chat/completions +{' +'.join(times)} ", whole_streams(text), re.MULTILINE)
