"""Sums up the figures of all rounds for each client, and prints the summaries as tables."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.engine.figures import difference
from benchmarks.engine.roster import CLIENTS, ENGINE, FLOOR
from benchmarks.testbed.rounds import over_rounds, summary, value_at
from streamgauge.report.units import NONE, duration, significant

Round = dict[str, Any]
COST = "cpu_s_per_chunk"


def summaries(report: dict[str, Any]) -> dict[str, Any]:
    """Return by client the median, minimum and maximum of each figure, for each load and for saturation."""
    found: dict[str, Any] = {
        "loads": [
            {
                "title": load["title"],
                "rate": load["rate"],
                "backlog": load["backlog"],
                "clients": summarised(load["rounds"]),
            }
            for load in report["loads"]
        ]
    }
    if "saturated" in report:
        found["saturated"] = {
            name: one_client(each["rounds"]) | {"rate": each["rate"], "limit": each["limit"]}
            for name, each in report["saturated"].items()
        }
    return found


def summarised(rounds: Sequence[Round]) -> dict[str, Any]:
    """Return the summary by client with ratios; each ratio is of one round."""
    found = {}
    best = [_least(this, "locust") for this in rounds]
    floors = [value_at(this, FLOOR, COST) for this in rounds]
    for name in dict.fromkeys(name for this in rounds for name in this):
        mine = [this[name] for this in rounds if name in this]
        costs = [value_at(this, name, COST) for this in rounds]
        found[name] = one_client(mine) | {
            "ratio_to_floor": summary(_ratios(costs, floors)),
            "ratio_to_best_locust": summary(_ratios(costs, best)),
        }
    return found


def one_client(mine: Sequence[Round]) -> dict[str, Any]:
    """Return the figures that need no other client. Times are the client's own: arrivals, or times of reading."""
    timed = [each.get("accuracy", each) for each in mine]
    error = "arrival_error" if any("arrival_error" in each for each in timed) else "read_error"
    return {
        COST: over_rounds(mine, COST),
        "cpu_share": over_rounds(mine, "cpu_share"),
        "chunks_per_s": over_rounds(mine, "chunks_per_s"),
        "interval_off": {name: difference(timed, name) for name in ("p50", "p99")},
        "error": {name: over_rounds(timed, error, name) for name in ("p50", "p99", "min", "max")},
        "error_is_of": error.removesuffix("_error"),
        "read_error": {name: over_rounds(timed, "read_error", name) for name in ("p50", "p99")},
        "coalesced_share": over_rounds(timed, "coalesced_share"),
        "trust": dict(Counter(each["trust"] for each in timed if "trust" in each)),
        "disturbed": sum(not each["undisturbed"] for each in mine),
        "source_late": {name: over_rounds(mine, "source", "late", name) for name in ("p50", "p99")},
    }


def _least(this: Round, group: str) -> float | None:
    return min((each[COST] for name, each in this.items() if CLIENTS[name].group == group), default=None)


def _ratios(costs: Iterable[float | None], others: Iterable[float | None]) -> list[float]:
    return [cost / other for cost, other in zip(costs, others, strict=True) if cost and other]


def show(report: dict[str, Any], console: Console) -> None:
    """Print all tables."""
    options, machine = report["options"], report["machine"]
    console.print(_about(report), highlight=False)
    for load in report["summary"]["loads"]:
        title = (
            f"a backlog of one chunk on each of {options['streams']} streams, repeatedly: the reader never sleeps"
            if load["backlog"]
            else f"{load['title']} over {options['streams']} streams for {options['seconds']:g} s"
        )
        title += f" · median of {options['rounds']} (least–most)"
        columns = _COLUMNS[:4] if load["backlog"] else _COLUMNS
        console.print(table(title, load["clients"], columns))
    if saturated := report["summary"].get("saturated"):
        console.print(table("each at the lowest rate at which it cannot keep up", saturated, _SATURATED))
    for name in report["failed"]:
        console.print(f"failed, not repeated: {CLIENTS[name].title}", highlight=False)
    for name, why in report["skipped"].items():
        console.print(f"skipped: {CLIENTS[name].title}: {why}", highlight=False)
    console.print(
        "off: the reader's chunk interval minus the log's. error: the reader's time of a chunk minus the time right "
        "before its send; streamgauge's times are arrivals, all others' are times of reading. "
        f"{_cores(options)}; "
        f"load average {machine['load_average'][0]:.1f} before, {machine['load_average_at_end'][0]:.1f} after.",
        highlight=False,
    )


def _cores(options: dict[str, Any]) -> str:
    if not options["cores"]:
        return "Not pinned"
    awake = "; a loop of the lowest priority keeps the reader's core awake" if options["awake"] else ""
    return f"Source and reader each had their own core{awake}"


def _about(report: dict[str, Any]) -> str:
    machine = report["machine"]
    programs = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    where = "virtual, " if machine["virtual"] else ""
    return (
        f"{machine['cpu']}, {where}{machine['cores']} cores, governor {machine['governor']}, {machine['kernel']}, "
        f"Python {machine['python']}\n{programs}"
    )


def table(title: str, clients: dict[str, Any], columns: Sequence[str]) -> Table:
    """Make the table of one load, with a line for each client."""
    shown = Table(title=title, title_justify="left", header_style="bold")
    for at, column in enumerate(columns):
        shown.add_column(column, justify="right" if at else "left", no_wrap=not at)
    for name, each in clients.items():
        cells = [_CELLS[column](each) for column in columns[1:]]
        shown.add_row(_title(name, each), *cells, style="bold" if name == ENGINE else "")
    return shown


def _title(name: str, each: dict[str, Any]) -> str:
    marks = [f"{each['disturbed']} disturbed"] if each["disturbed"] else []
    marks += [f"{count} {trust}" for trust, count in each["trust"].items() if trust != "trusted"]
    marks += ["limited by the source"] if each.get("limit") == "source" else []
    return CLIENTS[name].title + (f" ({', '.join(marks)})" if marks else "")


def signed(value_s: float) -> str:
    """Format a difference of durations."""
    return f"{'-' if value_s < 0 else '+'}{duration(abs(value_s))}"


def _ratio(values: dict[str, float] | None) -> str:
    return _ranged(values, lambda value: significant(value, 3))


def _middle(values: dict[str, float] | None, written: Any) -> str:
    return NONE if values is None else str(written(values["median"]))


def _ranged(values: dict[str, float] | None, written: Any, unit: str = "") -> str:
    if values is None:
        return NONE
    return f"{written(values['median'])}{unit} ({written(values['min'])}–{written(values['max'])})"


_CELLS: dict[str, Callable[[dict[str, Any]], str]] = {
    "CPU per chunk": lambda each: _ranged(each[COST], lambda value: f"{value * 1e6:.1f}", " µs"),
    "× floor": lambda each: _ratio(each["ratio_to_floor"]),
    "× best Locust": lambda each: _ratio(each["ratio_to_best_locust"]),
    "CPU used": lambda each: _middle(each["cpu_share"], lambda value: f"{value:.0%}"),
    "interval p50 off": lambda each: _middle(each["interval_off"]["p50"], signed),
    "interval p99 off": lambda each: _middle(each["interval_off"]["p99"], signed),
    "error p50": lambda each: _middle(each["error"]["p50"], duration),
    "error p99": lambda each: _middle(each["error"]["p99"], duration),
    "chunks/s": lambda each: _middle(each["chunks_per_s"], lambda value: f"{value:,.0f}"),
}
_COLUMNS = ("reader", *(column for column in _CELLS if column != "chunks/s"))
_SATURATED = ("reader", *(column for column in _CELLS if not column.startswith("×")))
