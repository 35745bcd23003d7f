"""States how uncertain chunk delays are because of the clocks: in ``result.json``, and in words."""

from typing import Literal

from streamgauge.report.result import NamedStreams
from streamgauge.report.stream_facts import ChunkDelayClock
from streamgauge.report.units import duration
from streamgauge.stats.clocks.alignment import ChunkDelays


def delay_clock(found: ChunkDelays) -> ChunkDelayClock:
    """Return what is known about the clocks, over all pairs of them."""
    fits = found.fits
    methods = {fit.method for fit in fits}
    method: Literal["same_clock", "minimum_filter", "mixed"] = "mixed" if len(methods) > 1 else fits[0].method
    unknown = any(fit.uncertainty_s is None for fit in fits)
    offsets_s, drifts_ppm = [fit.offset_s for fit in fits], [fit.drift_ppm for fit in fits]
    return ChunkDelayClock(
        method=method,
        pairs=len(fits),
        uncertainty_s=None if unknown else max(fit.uncertainty_s or 0.0 for fit in fits),
        offset_s=(min(offsets_s), max(offsets_s)),
        drift_ppm=(min(drifts_ppm), max(drifts_ppm)),
    )


def clock_words(streams: NamedStreams) -> str:
    """Return how certain the chunk delay of ``streams`` is, and why; empty if nothing is known."""
    clock = streams.get("chunk_delay_clock")
    if clock is None:
        return ""
    if clock["method"] == "same_clock":
        return "server and load generator share a clock"
    if clock["uncertainty_s"] is None:
        return "measured from the smallest delay, which is unknown because the clocks differ"
    return f"± {duration(clock['uncertainty_s'])}; the smallest delays gave the offset between the clocks"
