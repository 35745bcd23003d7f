"""Each number of the benchmarks' tables under its own heading."""

import io

import pytest
from rich.console import Console

from benchmarks import recorder_tables
from benchmarks.engine import tables

ROUNDS = [
    {
        name: {
            "cpu_s_per_chunk": cost * (1 + number / 10),
            "cpu_share": cost * 1e5,
            "chunks_per_s": 1 / cost,
            "undisturbed": True,
            "interval": {"seen": {"p50": 0.0101, "p99": 0.0203}, "log": {"p50": 0.01, "p99": 0.02}},
            "read_error": {"p50": cost * 3, "p99": cost * 7, "min": cost * 2, "max": cost * 11},
        }
        for name, cost in {"floor": 1e-6, "http-lines": 4e-6, "fast-events": 2e-6}.items()
    }
    for number in range(3)
]


def cells(table):
    """By the first cell of its row, each cell after its heading."""
    headings, *rows = zip(*([column.header, *column.cells] for column in table.columns), strict=True)
    return {row[0]: list(zip(headings[1:], row[1:], strict=True)) for row in rows}


def test_a_client_has_each_number_under_its_heading():
    found = tables.summarised(ROUNDS)
    columns = ("reader", *tables._CELLS)
    shown = cells(tables.table("t", {"http-lines": found["http-lines"]}, columns))
    assert next(iter(shown.values())) == [
        ("CPU per chunk", "4.4 µs (4.0–4.8)"),
        ("× floor", "4.00 (4.00–4.00)"),
        ("× best Locust", "2.00 (2.00–2.00)"),
        ("CPU used", "40%"),
        ("interval p50 off", "+100 µs"),
        ("interval p99 off", "+300 µs"),
        ("error p50", "12.0 µs"),
        ("error p99", "28.0 µs"),
        ("chunks/s", "250,000"),
    ]


@pytest.mark.parametrize(("reference", "ratios"), [("bare", ("2.000", "0.250")), ("ours", ("1.000", "1.000"))])
def test_an_instrument_has_cost_and_rate_each_with_its_own_ratio(reference, ratios):
    rounds = [
        {
            "bare": {"cpu_s_per_chunk": 1e-6 * times, "chunks_per_s": 8000 / times},
            "ours": {"cpu_s_per_chunk": 2e-6 * times, "chunks_per_s": 2000 / times},
        }
        for times in (1, 2, 4)
    ]
    shown = cells(recorder_tables._figures("t", "instrument", recorder_tables.against(rounds, reference), reference))
    cost, rate = ratios
    assert shown["ours"] == [
        ("CPU per chunk, µs", "4.00 (2.00–8.00)"),
        (f"× {reference}", f"{cost} ({cost}–{cost})"),
        ("chunks/s", "1,000 (500–2,000)"),
        (f"× {reference}", f"{rate} ({rate}–{rate})"),
    ]


def test_without_the_kernel_each_cost_stands_under_its_heading(monkeypatch):
    out = io.StringIO()
    monkeypatch.setattr(recorder_tables, "wide_console", lambda: Console(file=out, width=200))
    monkeypatch.setattr(recorder_tables, "about", lambda report: "")
    contents = {"small": {"bare": 1000, "passing on": 2000, recorder_tables.OURS: 2750}}
    alone = {"contents": contents, "recorder": {"quick": 111, "paced": 222}}
    report = {"alone": alone, "served": [], "native": []}
    summary = recorder_tables.summary_of(report | {"native": [{"native": {"cpu_s_per_chunk": 1, "chunks_per_s": 1}}]})
    recorder_tables.show({"summary": summary})
    lines = [" ".join(line.replace("│", " ").replace("┃", " ").split()) for line in out.getvalue().splitlines()]
    assert f"content bare passing on {recorder_tables.OURS} own" in lines
    assert "small 1,000 2,000 2,750 750" in lines
    assert "The recorder alone: 111 ns per quick chunk, 222 ns per paced chunk." in " ".join(lines)
