"""The counters of a load generator process about itself: of one second, or of a whole run over all processes."""

from dataclasses import dataclass, field
from typing import Annotated

from streamgauge.stats.histogram import Histogram
from streamgauge.stats.quantities import Counter, Distribution, quantities_of


@dataclass(slots=True, kw_only=True, eq=False)
class GeneratorStats:
    """Counters and distributions that merge exactly."""

    lag: Annotated[Histogram, Distribution(metric="stream_client_generator_lag_seconds")] = field(
        default_factory=Histogram
    )
    hub_lag: Annotated[
        Histogram,
        Distribution(
            meaning="How late the event loop ran a timer; streams start late by as much.",
            heading="hub lag",
        ),
    ] = field(default_factory=Histogram)
    reads: Annotated[int, Counter(meaning="Reads of streams.", internal=True)] = 0
    fallbacks: Annotated[int, Counter(meaning="Reads without a usable kernel timestamp.", internal=True)] = 0
    longest_pause_s: Annotated[
        float,
        Counter(
            meaning="The longest time for which an event loop did not run.", heading="longest pause", greatest=True
        ),
    ] = 0.0
    longest_stopped_s: Annotated[
        float,
        Counter(
            meaning="The longest time for which a process neither used a CPU nor waited for one.",
            greatest=True,
            internal=True,
        ),
    ] = 0.0
    clock_steps: Annotated[
        int,
        Counter(
            meaning="How often the wall clock stepped; timestamps around a step are discarded, and the time of the "
            "read is used.",
            heading="clock steps",
        ),
    ] = 0
    scheduled_arrivals: Annotated[int, Counter(metric="stream_client_scheduled_arrivals_total")] = 0
    late_starts: Annotated[int, Counter(metric="stream_client_late_starts_total")] = 0
    capped_starts: Annotated[
        int,
        Counter(meaning="Of the late starts, those that waited because as many streams as allowed were under way."),
    ] = 0
    dropped_arrivals: Annotated[int, Counter(metric="stream_client_dropped_arrivals_total")] = 0
    lost_arrivals: Annotated[
        int, Counter(meaning="Of the dropped arrivals, those that belonged to processes which left or died.")
    ] = 0
    cut_by_shape: Annotated[
        int, Counter(meaning="Censored streams that were cut short because a falling shape removed their users.")
    ] = 0
    refusal_pauses: Annotated[
        int, Counter(meaning="How often users whose streams were refused paused before the next one.")
    ] = 0
    refusal_pause_s: Annotated[float, Counter(meaning="The total length of these pauses.")] = 0.0

    def merge_generator(self, other: "GeneratorStats") -> None:
        """Add the generator's counters of ``other``."""
        for each in GENERATOR_QUANTITIES:
            mine, theirs = getattr(self, each.field), getattr(other, each.field)
            if isinstance(each, Distribution):
                mine.merge(theirs)
            else:
                setattr(self, each.field, max(mine, theirs) if each.greatest else mine + theirs)


GENERATOR_QUANTITIES = quantities_of(GeneratorStats)
