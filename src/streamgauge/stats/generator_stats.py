"""What a load generator process counts of itself: in one second, or in a whole run over all processes."""

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
            meaning="How late the event loop turned when a timer asked for it: what it starts, it starts as late.",
            heading="hub lag",
        ),
    ] = field(default_factory=Histogram)
    reads: Annotated[int, Counter(meaning="Reads of streams.", internal=True)] = 0
    fallbacks: Annotated[int, Counter(meaning="Reads without a kernel stamp that could be used.", internal=True)] = 0
    longest_pause_s: Annotated[
        float,
        Counter(
            meaning="The longest time for which an event loop did not turn.", heading="longest pause", greatest=True
        ),
    ] = 0.0
    longest_stopped_s: Annotated[
        float,
        Counter(
            meaning="The longest time for which a process neither ran nor waited when it should have.",
            greatest=True,
            internal=True,
        ),
    ] = 0.0
    clock_steps: Annotated[
        int,
        Counter(
            meaning="How often the wall clock jumped; timestamps around a jump are discarded, and the moment of the "
            "read is taken.",
            heading="clock steps",
        ),
    ] = 0
    refusal_pauses: Annotated[
        int, Counter(meaning="How often users whose streams were refused paused before the next one.")
    ] = 0
    refusal_pause_s: Annotated[float, Counter(meaning="How long these pauses were in all.")] = 0.0

    def merge_generator(self, other: "GeneratorStats") -> None:
        """Add what ``other`` counted of its generator."""
        for each in GENERATOR_QUANTITIES:
            mine, theirs = getattr(self, each.field), getattr(other, each.field)
            if isinstance(each, Distribution):
                mine.merge(theirs)
            else:
                setattr(self, each.field, max(mine, theirs) if each.greatest else mine + theirs)


GENERATOR_QUANTITIES = quantities_of(GeneratorStats)
