"""Says in words what a warm-up left out, and whether the run was steady."""

from streamgauge.report.enough_text import mark
from streamgauge.report.result import NamedStreams, Result
from streamgauge.report.summary import summary_of
from streamgauge.report.sums import failed
from streamgauge.report.units import estimate, number, some
from streamgauge.stats.quantities import Distribution
from streamgauge.stats.stream_quantities import DISTRIBUTIONS

_SHOWN = (DISTRIBUTIONS["time_to_first_chunk"], DISTRIBUTIONS["chunk_interval"])


def warm_up_words(result: Result) -> list[str]:
    """Return sentences about the warm-up: what was left out, the figures with it, and who failed in it."""
    warm_up = result.get("warm_up")
    if warm_up is None:
        return []
    found = [f"the first {warm_up['until_s']} s, the warm-up, are not in these figures"]
    if not warm_up["until_s"]:
        found = ["no warm-up was left out, because the run was not steady"]
        if result.get("steady", {}).get("found"):
            found = ["no warm-up was left out, because the run was steady from its start"]
    if whole := result.get("whole_run"):
        found[0] += f"; with them: {p99_words(whole['streams'])}"
    if failures := warm_up["failures"]:
        kinds = ", ".join(f"{number(times)} {outcome}" for outcome, times in failures.items())
        found.append(f"in the warm-up, which is not judged, {some(failed(failures), 'stream')} failed: {kinds}")
    return found


def steady_words(result: Result) -> str:
    """Return one sentence on the steady state; empty if nothing was said of it."""
    steady, window = result.get("steady"), result.get("steady_window")
    if steady is None:
        return ""
    if window is None:
        return f"no steady state: {steady['reason']}"
    return f"steady from {window['from_s']} s to {window['to_s']} s: {p99_words(window['streams'])}"


def p99_words(streams: list[NamedStreams]) -> str:
    """Return p99 of the time to first chunk and of the chunk interval: of several names the slowest, with its name."""
    found = [words for each in _SHOWN if (words := _slowest(streams, each))]
    return ", ".join(found) or "no chunk came"


def _slowest(streams: list[NamedStreams], metric: Distribution) -> str:
    found = [(each["name"], summary_of(metric, each)) for each in streams]
    by_name = [(name, summary) for name, summary in found if summary is not None and summary["p99"] is not None]
    if not by_name:
        return ""
    name, summary = max(by_name, key=lambda item: item[1]["p99"] or 0.0)
    words = mark(summary, "p99") + estimate(summary["p99"], summary["uncertain"].get("p99"))
    return f"{metric.heading} p99 {words}" + (f" ({name}, the slowest)" if len(by_name) > 1 else "")
