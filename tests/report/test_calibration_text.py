"""A calibration in words: each figure under its label, no two of them alike."""

import io
from typing import Any

import pytest
from rich.console import Console

from streamgauge.report.calibration_text import age, load_of, print_calibration, recalled
from streamgauge.report.console import print_table
from streamgauge.report.html import render
from streamgauge.report.result import Result
from tests.report.printed import Shown, joined


def calibration() -> Any:
    figures = {
        metric: {
            percentile: {
                "client": number / 1000,
                "log": (number + 10) / 1000,
                "difference": sign * (number + 20) / 1000,
            }
            for number, sign, percentile in zip(range(start, start + 3), (1, -1, 1), ("p50", "p90", "p99"), strict=True)
        }
        for start, metric in ((101, "time_to_first_chunk"), (201, "chunk_interval"))
    }
    spreads = {
        part: {name: (start + at) / 1000 for at, name in enumerate(("p50", "p99", "max"))}
        for start, part in ((301, "arrival_error"), (311, "asking"), (321, "lag"))
    }
    load = {"users": 41, "interval_s": 0.05, "chunk_bytes": 42, "run_time_s": 43, "streams": 4_444, "chunks": 5_555}
    floor = {"time_to_first_chunk": 0.331, "chunk_interval": 0.332}
    return {"metrics": figures, **spreads, "load": load, "floor": floor, "cpu_max": 0.341, "trust": "trusted",
            "reasons": [], "age_s": 300.0}  # fmt: skip


def test_each_figure_of_a_calibration_stands_under_its_label() -> None:
    out = io.StringIO()
    print_calibration(calibration(), Console(file=out, width=200, highlight=False))
    table, *lines = out.getvalue().split("\n\n")
    cells = [line.split() for line in table.splitlines()]
    assert cells[0] == ["client", "source's", "log", "difference"]
    assert [" ".join(line) for line in cells[2:]] == [
        "time to first chunk p50 101 ms 111 ms +121 ms",
        "p90 102 ms 112 ms -122 ms",
        "p99 103 ms 113 ms +123 ms",
        "chunk interval p50 201 ms 211 ms +221 ms",
        "p90 202 ms 212 ms -222 ms",
        "p99 203 ms 213 ms +223 ms",
    ]
    facts, meaning = lines[0].splitlines(), joined(lines[1])
    assert [fact.rpartition(":")[0] for fact in facts] == [
        "· send → arrival p50 301 ms, p99 302 ms, max 303 ms",
        "· start → request p50 311 ms, p99 312 ms, max 313 ms",
        "· generator lag p50 321 ms, p99 322 ms, max 323 ms",
        "· generator CPU max 34.1 %",
    ]
    assert facts[-1].endswith("4,444 streams, 5,555 chunks")
    said = "41 streams × 20 chunks/s this machine measures chunk intervals to within ±332 ms, times to first chunk to"
    assert f"{said} within ±331 ms" in meaning


def test_a_report_has_the_calibrations_own_figures(distinct: Result) -> None:
    distinct["generator"]["calibration"] = calibration()
    out = io.StringIO()
    print_table(distinct, None, Console(file=out, width=200))
    floors = "chunk intervals to within ±332 ms, times to first chunk to within ±331 ms"
    assert f"calibrated 5 min ago at 41 streams × 20 chunks/s: {floors}" in joined(out.getvalue())
    value, sentence = Shown(render(distinct)).terms["Calibrated"]
    assert value == "5 min ago"
    assert f"At 41 streams × 20 chunks/s this machine measured {floors}" in sentence


@pytest.mark.parametrize(
    ("interval_s", "rate"),
    [
        (3, "0.333"),
        (0.4, "2.5"),
        (0.1, "10"),
        (0.0101, "99"),
        (0.010002, "100"),
        (0.01, "100"),
        (0.003, "333"),
        (0.0004, "2500"),
    ],
)
def test_the_load_is_written_without_needless_digits(interval_s: float, rate: str) -> None:
    load = {**calibration()["load"], "users": 1200, "interval_s": interval_s}
    assert load_of({**calibration(), "load": load}) == f"1,200 streams × {rate} chunks/s"


@pytest.mark.parametrize(
    ("age_s", "text"),
    [
        (0, "just now"),
        (59.9, "just now"),
        (60, "1 min ago"),
        (7199, "119 min ago"),
        (7200, "2 h ago"),
        (172_799, "47 h ago"),
        (172_800, "2 days ago"),
        (259_199, "2 days ago"),
        (12 * 86_400, "12 days ago"),
    ],
)
def test_an_age_is_given_in_its_unit(age_s: float, text: str) -> None:
    assert age(age_s) == text


@pytest.mark.parametrize(("trust", "mark"), [("trusted", "✓"), ("degraded", "!"), ("invalid", "!")])
def test_a_calibration_that_is_not_trusted_is_marked_with_its_reasons(trust: str, mark: str) -> None:
    found = {**calibration(), "trust": trust, "reasons": [] if trust == "trusted" else ["it was busy", "it stopped"]}
    found["metrics"]["chunk_interval"]["p90"]["difference"] = 0.0
    out = io.StringIO()
    print_calibration(found, Console(file=out, width=400, highlight=False))
    meaning = joined(out.getvalue().rpartition("\n\n")[2]).strip()
    said = (
        "" if trust == "trusted" else f" The generator's verdict at this load was: {trust}. - it was busy - it stopped"
    )
    assert meaning.startswith(f"{mark} At 41 streams")
    assert meaning.endswith(f"at p50, p90 and p99.{said}")
    assert "+0 s" in out.getvalue(), "the client and the log agree"
    assert (f" ({trust}): " in recalled(found)) == (trust != "trusted")


def test_a_calibration_of_unknown_age_is_taken_as_new() -> None:
    found = calibration()
    del found["age_s"]
    assert recalled(found).startswith("calibrated just now at 41 streams × 20 chunks/s: chunk intervals")
