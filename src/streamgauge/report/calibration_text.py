"""Describes a calibration in words, for the terminal and for the report."""

from typing import TYPE_CHECKING

from streamgauge.report.calibration import Calibration
from streamgauge.report.columns import Column, Table
from streamgauge.report.terminal import print_lines, print_marked, standard_output, styled
from streamgauge.report.units import duration, number, share, significant

if TYPE_CHECKING:
    from rich.console import Console

TITLES = {"time_to_first_chunk": "time to first chunk", "chunk_interval": "chunk interval"}


def load_of(calibration: Calibration) -> str:
    """Return the load, such as ``100 streams × 20 chunks/s``."""
    load = calibration["load"]
    rate = float(significant(1 / load["interval_s"]))  # ``.10g`` drops trailing zeros
    return f"{number(int(load['users']))} streams × {rate:.10g} chunks/s"


def floors(calibration: Calibration) -> str:
    """Return the errors: ``chunk intervals to within ±80 µs, times to first chunk to within ±120 µs``."""
    interval_s, first_s = (calibration["floor"][metric] for metric in ("chunk_interval", "time_to_first_chunk"))
    return f"chunk intervals to within ±{duration(interval_s)}, times to first chunk to within ±{duration(first_s)}"


def sentence(calibration: Calibration) -> str:
    """Return a sentence that says how exactly this machine measures."""
    said = f"At {load_of(calibration)} this machine measures {floors(calibration)}, at p50, p90 and p99."
    if calibration["trust"] == "trusted":
        return said
    return f"{said} The generator's verdict at this load was: {calibration['trust']}."


def recalled(calibration: Calibration) -> str:
    """Return the calibration as a later result shows it: ``calibrated 5 min ago at 100 streams × 20 chunks/s: …``."""
    trust = "" if calibration["trust"] == "trusted" else f" ({calibration['trust']})"
    when = age(calibration.get("age_s", 0.0))
    return f"calibrated {when} at {load_of(calibration)}{trust}: {floors(calibration)}"


def age(age_s: float) -> str:
    """Return a rough age: ``just now``, ``5 min ago``, ``3 h ago``, ``12 days ago``."""
    for unit_s, unit, until in ((60.0, "min", 120), (3600.0, "h", 48)):
        if age_s < unit_s * until:
            count = int(age_s / unit_s)
            return f"{count} {unit} ago" if count else "just now"
    return f"{int(age_s / 86400)} days ago"


def print_calibration(calibration: Calibration, console: "Console | None" = None) -> None:
    """Print the figures, the load, and the sentence to ``console`` (default: standard output)."""
    console = console or standard_output()
    print_lines(console, _table(calibration).fit(console.width).lines)
    console.print()
    print_marked(console, [("·", styled(fact)) for fact in _facts(calibration)])
    console.print()
    ok, style = ("✓", "bold green") if calibration["trust"] == "trusted" else ("!", "bold yellow")
    print_marked(console, [(ok, styled((sentence(calibration), style)))])
    print_marked(console, [("", styled(f"- {reason}")) for reason in calibration["reasons"]])


def _table(calibration: Calibration) -> Table:
    columns = (Column("", 5, left=True), Column("client", 2), Column("source's log", 1), Column("difference", 4))
    table = Table("", columns)
    for metric, title in TITLES.items():
        for percentile, figure in calibration["metrics"][metric].items():
            difference = f"{'-' if figure['difference'] < 0 else '+'}{duration(abs(figure['difference']))}"
            cells = (percentile, duration(figure["client"]), duration(figure["log"]), difference)
            table.add(title if percentile == "p50" else "", [styled(cell) for cell in cells])
    return table


def _facts(calibration: Calibration) -> list[str]:
    load = calibration["load"]
    times = (
        ("send → arrival", calibration["arrival_error"], "of each stream's first chunk"),
        ("start → request", calibration["asking"], "part of the time to first chunk"),
        ("generator lag", calibration["lag"], "not part of the figures above"),
    )
    counted = f"{number(int(load['streams']))} streams, {number(int(load['chunks']))} chunks"
    return [
        *(
            f"{title} {', '.join(f'{name} {duration(found[name])}' for name in ('p50', 'p99', 'max'))}: {meaning}"
            for title, found, meaning in times
        ),
        f"generator CPU max {share(calibration['cpu_max'])}: {counted}",
    ]
