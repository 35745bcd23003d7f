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
        Histogram, Distribution(meaning="How late the event loop turned, of every turn that a timer asked for.")
    ] = field(default_factory=Histogram)
    reads: Annotated[int, Counter(meaning="Reads of streams.")] = 0
    fallbacks: Annotated[int, Counter(meaning="Reads without a kernel stamp that could be used.")] = 0
    clock_steps: Annotated[int, Counter(meaning="How often the wall clock stepped.")] = 0
    longest_pause_s: Annotated[
        float, Counter(meaning="The longest time for which the event loop did not turn.", greatest=True)
    ] = 0.0
    longest_stopped_s: Annotated[
        float,
        Counter(
            meaning="The longest time for which the process neither ran nor waited when it should have.", greatest=True
        ),
    ] = 0.0
    refusal_pauses: Annotated[int, Counter(meaning="Pauses of refused users that ended.")] = 0
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
