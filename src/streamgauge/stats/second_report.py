"""The report of one load generator process on one second: its streams and itself. Reports add up to a run."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from streamgauge.stats.generator_stats import GENERATOR_QUANTITIES, GeneratorStats
from streamgauge.stats.histogram import Histogram
from streamgauge.stats.process_stats import Key
from streamgauge.stats.quantities import Distribution
from streamgauge.stats.stream_stats import StreamStats

_HISTOGRAMS = tuple(each.field for each in GENERATOR_QUANTITIES if isinstance(each, Distribution))


@dataclass(slots=True)
class SecondReport(GeneratorStats):
    """The counts of second ``t_s``, counted from the start of the run in this process."""

    t_s: int
    active: int
    """Streams under way at the end of the second."""
    all_stats: dict[Key, StreamStats] = field(default_factory=dict)
    wall_offset_ns: int = 0
    """The process's wall clock minus its monotonic clock."""
    cpu: float = 0.0
    """Share of one core that the process used, 0 to 1."""
    waited_s: float = 0.0
    """How long it was ready to run while other processes had the CPU."""
    stopped_s: float = 0.0
    """How long it was stopped: it neither used a CPU nor waited for one. A hypervisor may cause this too."""
    names_left_out: int = 0
    """How many names came in this second that have no statistics of their own."""
    options_used: dict[str, list[str]] = field(default_factory=dict)
    """By user class, the user's options that its streams have used since the run began."""

    def to_dict(self) -> dict[str, Any]:
        """Return a form for msgpack and JSON; :meth:`from_dict` reads it."""
        plain = {each.name: getattr(self, each.name) for each in fields(self)}
        all_stats = [[name, protocol, stats.to_dict()] for (name, protocol), stats in self.all_stats.items()]
        return plain | {"all_stats": all_stats, **{name: getattr(self, name).to_dict() for name in _HISTOGRAMS}}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "SecondReport":
        """Read the form that :meth:`to_dict` returns."""
        all_stats = {(name, protocol): StreamStats.from_dict(stats) for name, protocol, stats in data["all_stats"]}
        histograms = {name: Histogram.from_dict(data[name]) for name in _HISTOGRAMS}
        return cls(**{**data, "all_stats": all_stats, **histograms})
