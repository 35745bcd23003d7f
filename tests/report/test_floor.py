"""A calibration in words: each figure under its label, no two of them alike."""

import io
from typing import Any

from rich.console import Console

from streamgauge.report.console import print_table
from streamgauge.report.floor import print_calibration
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
