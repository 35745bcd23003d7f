"""Says in words what became of the arrivals of an open model."""

from streamgauge.report.result import Generator, Result
from streamgauge.report.run_load import Arrivals
from streamgauge.report.units import number, rate, some


def arrival_words(result: Result) -> str:
    """Return a line on the rate that was asked for and on late and dropped arrivals; empty for the closed model."""
    arrivals = result["run"].get("arrivals")
    return f"open model {arrivals['process']}: {rates(arrivals)}, {fate(result['generator'])}" if arrivals else ""


def rates(arrivals: Arrivals) -> str:
    """Return the rate wanted and the rate got, in streams per second, and the seed."""
    wanted, got = rate(arrivals["wanted_per_s"]), rate(arrivals["got_per_s"])
    return f"{wanted}/s wanted, {got}/s got, seed {arrivals['seed']}"


def fate(generator: Generator) -> str:
    """Return how many arrivals there were, and how many started late or never."""
    scheduled, late = generator.get("scheduled_arrivals", 0), generator["late_starts"]
    capped = generator.get("capped_starts", 0)
    waited = f" ({number(capped)} for want of a free user)" if capped else ""
    lost, dropped = generator.get("lost_arrivals", 0), number(generator["dropped_arrivals"])
    gone = f" ({number(lost)} with workers that left or died)" if lost else ""
    return f"{some(scheduled, 'arrival')}, {number(late)} late{waited}, {dropped} dropped{gone}"
