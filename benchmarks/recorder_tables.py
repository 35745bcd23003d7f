"""Sums up the rounds of the recorder's benchmark, and prints the summary as tables."""

from collections.abc import Callable, Sequence
from typing import Any

from rich.table import Table

from benchmarks.testbed.rounds import over_rounds, summary, wide_console
from benchmarks.testbed.service import BARE, OURS
from streamgauge.report.units import some

COST, RATE = "cpu_s_per_chunk", "chunks_per_s"
Round = dict[str, dict[str, float]]


def summary_of(report: dict[str, Any]) -> dict[str, Any]:
    """Return median, minimum and maximum of figures and ratios; each ratio is of one round."""
    return {
        "alone": {
            content: least | {"own": least[OURS] - least["passing on"]}
            for content, least in report["alone"]["contents"].items()
        },
        "recorder": report["alone"]["recorder"],
        "served": [
            {"load": each["load"], "workers": each["workers"], "instruments": against(each["rounds"], BARE)}
            for each in report["served"]
        ],
        "native": against(report["native"], "native"),
    }


def against(rounds: Sequence[Round], reference: str) -> dict[str, Any]:
    """Return the cost and the rate by name, and their ratios to those of ``reference`` in the same round."""
    return {
        name: {figure: over_rounds([each[name] for each in rounds], figure) for figure in (COST, RATE)}
        | {
            f"{figure}_ratio": summary(each[name][figure] / each[reference][figure] for each in rounds)
            for figure in (COST, RATE)
        }
        for name in rounds[0]
    }


def show(report: dict[str, Any]) -> None:
    """Print all tables."""
    console, found = wide_console(), report["summary"]
    console.print(about(report), highlight=False)
    columns = ("bare", "passing on", OURS, "own")
    table = _table("without the kernel, CPU time per chunk in ns (smallest of all rounds)", "content", columns)
    for content, least in found["alone"].items():
        table.add_row(content, *(f"{least[name]:,.0f}" for name in columns))
    console.print(table)
    recorder = ", ".join(f"{value:,.0f} ns per {name} chunk" for name, value in found["recorder"].items())
    console.print(
        f"own: streamgauge's cost beyond middleware that only passes messages on. The recorder alone: {recorder}.",
        highlight=False,
    )
    for each in found["served"]:
        console.print(_figures(_name(each), "instrument", each["instruments"], "bare"))
    console.print(_figures("one content in three forms, no instrument, 1 worker", "form", found["native"], "native"))


def about(report: dict[str, Any]) -> str:
    """Return the facts about the benchmark and the machine in two lines."""
    host, programs = report["machine"], ", ".join(f"{name} {each}" for name, each in report["versions"].items())
    before, after = host["load_average"][0], host["load_average_at_end"][0]
    medians = f"median of {report['options']['starts']} starts × {report['options']['rounds']} rounds (least–most)"
    return (
        f"{report['started_at']} · {host['cpu']}, {host['cores']} cores · {host['kernel']} · Python {host['python']} · "
        f"{medians} · load average {before:.1f} before, {after:.1f} after\n{programs}"
    )


def _name(each: dict[str, Any]) -> str:
    return f"{each['load']} · {some(each['workers'], 'worker')}"


def _table(title: str, first: str, columns: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", header_style="bold")
    table.add_column(first, no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _figures(title: str, first: str, found: dict[str, Any], reference: str) -> Table:
    columns = ("CPU per chunk, µs", f"× {reference}", "chunks/s", f"× {reference}")
    table = _table(title, first, columns)
    for name, each in found.items():
        cells = (
            _ranged(each[COST], lambda value: f"{value * 1e6:.2f}"),
            _ranged(each[f"{COST}_ratio"], "{:.3f}".format),
            _ranged(each[RATE], "{:,.0f}".format),
            _ranged(each[f"{RATE}_ratio"], "{:.3f}".format),
        )
        table.add_row(name, *cells, style="bold" if name == OURS else "")
    return table


def _ranged(values: dict[str, float], written: Callable[[float], str]) -> str:
    return f"{written(values['median'])} ({written(values['min'])}–{written(values['max'])})"
