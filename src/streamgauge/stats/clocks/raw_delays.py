"""Raw chunk delays as one process records them: arrival on its monotonic clock minus the server's stamp.

They contain the offset between the two clocks, so they are counted relative to a floor. If the server's clock is this
machine's clock, the offset is known and is the floor. Otherwise the floor is about the smallest recent raw delay.
Nothing is stored per chunk. ``streamgauge.stats.clocks.alignment`` removes the offset.
"""

from collections.abc import Mapping
from typing import Any

from streamgauge.stats.bounded_times import LONGEST_NS, BoundedTimes

#: A point: monotonic ns, and a raw delay at that time.
Point = tuple[int, int]
#: How much a floor may rise from one second to the next: more than clocks can drift in a second.
RISE_NS = 200_000
#: How far an effect may seem to precede its cause if one clock stamped both.
ACAUSAL_NS = 50_000
_BATCH = 512


class RawDelays:
    """The raw delays of one name and protocol in one second, by one server clock."""

    __slots__ = (
        "_batch",
        "_delays",
        "_floor_ns",
        "_hint_ns",
        "_open",
        "first_ns",
        "high",
        "last_ns",
        "low",
        "same_clock",
    )

    def __init__(self, *, same_clock: bool, hint_ns: int | None = None) -> None:
        """Begin without chunks. ``hint_ns`` is the first floor; with ``same_clock``, it is the offset."""
        #: Whether the server states that its clock is this machine's clock.
        self.same_clock = same_clock
        #: The smallest raw delay, an upper bound of the offset between the clocks.
        self.low: Point | None = None
        #: The largest difference between sending a request and its receipt by the server, a lower bound of the offset.
        self.high: Point | None = None
        #: The first and the last arrival.
        self.first_ns = self.last_ns = 0
        self._hint_ns = hint_ns
        self._floor_ns: int | None = None
        self._delays = BoundedTimes()
        self._batch: list[int] = []
        self._open: list[tuple[int, int]] = []

    def note_request(self, asked_ns: int, received_ns: int) -> None:
        """Note that a request was sent at ``asked_ns`` and received at ``received_ns`` of the server's clock."""
        raw_ns = asked_ns - received_ns
        if self.high is None or raw_ns > self.high[1]:
            self.high = (asked_ns, raw_ns)

    def chunk(self, arrival_ns: int, sent_ns: int) -> None:
        """Count a chunk that arrived at ``arrival_ns`` and was sent at ``sent_ns`` of the server's clock."""
        self._batch.append(self._raw_delay(arrival_ns, sent_ns))
        if len(self._batch) >= _BATCH:
            self._flush()

    def _raw_delay(self, arrival_ns: int, sent_ns: int) -> int:
        """Return a chunk's raw delay, after updating the smallest one and the last arrival."""
        raw_ns = arrival_ns - sent_ns
        low = self.low
        if low is None:
            self.first_ns = arrival_ns
        if low is None or raw_ns < low[1]:
            self.low = (arrival_ns, raw_ns)
        self.last_ns = arrival_ns
        return raw_ns

    def coalesced_chunk(self, floor_ns: int, arrival_ns: int, sent_ns: int) -> None:
        """Count a chunk that was sent at ``sent_ns`` and arrived between ``floor_ns`` and ``arrival_ns``."""
        self._open.append((floor_ns - sent_ns, self._raw_delay(arrival_ns, sent_ns)))
        if len(self._open) >= _BATCH:
            self._flush()

    @property
    def floor_ns(self) -> int | None:
        """The floor that ``delays`` are relative to; None if there are no delays."""
        self._flush()
        return self._floor_ns

    @property
    def delays(self) -> BoundedTimes:
        """The counted delays, relative to the floor."""
        self._flush()
        return self._delays

    def successor(self) -> "RawDelays | None":
        """Make the empty raw delays of the next second; None if their floor does not depend on this second."""
        if self.same_clock and self._hint_ns is not None:
            return None
        floor_ns = self.floor_ns
        hint_ns = None if floor_ns is None or self.low is None else min(self.low[1], floor_ns + RISE_NS)
        return RawDelays(same_clock=self.same_clock, hint_ns=hint_ns)

    def _flush(self) -> None:
        if self.low is None or not (self._batch or self._open):
            return
        floor_ns = self._lowest(self.low[1])
        if self._floor_ns is not None:
            floor_ns = min(floor_ns, self._floor_ns)
            if floor_ns < self._floor_ns:
                self._delays = self._delays.shifted(self._floor_ns - floor_ns)
        self._floor_ns = floor_ns
        delays = self._delays
        for raw_ns in self._batch:
            delays.all.record_ns(min(raw_ns - floor_ns, LONGEST_NS))
        for least_ns, most_ns in self._open:
            least_ns = min(max(0, least_ns - floor_ns), LONGEST_NS)
            most_ns = min(most_ns - floor_ns, LONGEST_NS)
            delays.record_between_ns((least_ns + most_ns) // 2, least_ns, most_ns)
        self._batch.clear()
        self._open.clear()

    def _lowest(self, low_ns: int) -> int:
        hint_ns = self._hint_ns
        if hint_ns is None:
            return low_ns
        if not self.same_clock:
            return min(low_ns, hint_ns)
        causal = low_ns > hint_ns - ACAUSAL_NS and (self.high is None or self.high[1] < hint_ns + ACAUSAL_NS)
        return hint_ns if causal else low_ns

    def to_dict(self) -> dict[str, Any]:
        """Return a form for msgpack and JSON; :meth:`from_dict` reads it."""
        plain = {name: getattr(self, name) for name in ("same_clock", "low", "high", "first_ns", "last_ns", "floor_ns")}
        return {**plain, "delays": self.delays.to_dict()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "RawDelays":
        """Read the form that :meth:`to_dict` returns."""
        raw = cls(same_clock=data["same_clock"])
        raw.low, raw.high = (None if data[name] is None else tuple(data[name]) for name in ("low", "high"))
        raw.first_ns, raw.last_ns, raw._floor_ns = data["first_ns"], data["last_ns"], data["floor_ns"]
        raw._delays = BoundedTimes.from_dict(data["delays"])
        return raw
