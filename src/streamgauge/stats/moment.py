"""A moment that may be known as a range only, and the time between two such moments."""

from typing import NamedTuple


class Moment(NamedTuple):
    """An arrival in monotonic ns: exact if the earliest and the latest are equal."""

    earliest_ns: int
    estimate_ns: int
    latest_ns: int

    @classmethod
    def exactly(cls, at_ns: int) -> "Moment":
        """Return a moment that is exactly known."""
        return cls(at_ns, at_ns, at_ns)

    def or_later(self, other: "Moment") -> "Moment":
        """Return the later one of two moments."""
        return Moment(*(max(mine, others) for mine, others in zip(self, other, strict=True)))

    def since_s(self, before: "Moment") -> tuple[float, float, float]:
        """Return the seconds since ``before``, which is no later: the least, the estimate and the most."""
        return (
            max(0, self.earliest_ns - before.latest_ns) / 1e9,
            max(0, self.estimate_ns - before.estimate_ns) / 1e9,
            (self.latest_ns - before.earliest_ns) / 1e9,
        )
