"""Where the streams of one process are counted: a tally for each name and protocol, and what is under way now."""

import time
from collections.abc import Callable

from streamgauge.measure.histogram import Histogram
from streamgauge.measure.record import StreamRecord
from streamgauge.measure.tally import Tally

Key = tuple[str, str]


class Ledger:
    """Tallies by name and protocol, the generator's lag, and the count of streams under way."""

    def __init__(self, monotonic: Callable[[], int] = time.monotonic_ns) -> None:
        self.tallies: dict[Key, Tally] = {}
        #: Arrival in the kernel until the generator looked, of every read.
        self.lag = Histogram()
        self.active = 0
        #: The monotonic clock, ns.
        self.now_ns = monotonic
        #: When everything was forgotten the last time.
        self._forgot_s = float("-inf")

    def tally(self, name: str, protocol: str) -> Tally:
        """The tally of a name and protocol."""
        tally = self.tallies.get((name, protocol))
        if tally is None:
            tally = self.tallies[name, protocol] = Tally()
        return tally

    def begin(self, name: str, protocol: str) -> Tally:
        """Count a stream that starts."""
        tally = self.tally(name, protocol)
        tally.started += 1
        self.active += 1
        return tally

    def resettle(self, tally: Tally, name: str, protocol: str) -> Tally:
        """Count a stream that started under an unknown protocol under the one that it turned out to speak."""
        tally.started -= 1
        settled = self.tally(name, protocol)
        settled.started += 1
        return settled

    def end(self, tally: Tally, record: StreamRecord) -> None:
        """Count a stream that ended."""
        self.active -= 1
        first_s = record.start_s + (record.time_to_first_chunk_s or 0.0)
        tally.end(record, knows_first_chunk=first_s > self._forgot_s)

    def forget(self) -> None:
        """Start anew without what was counted. Streams under way go on, and count with what is still to come."""
        self.take()
        self._forgot_s = self.now_ns() / 1e9

    def take(self) -> tuple[dict[Key, Tally], Histogram]:
        """What was counted since the last call, empty tallies left out, and the lag; start anew."""
        taken = {key: delta for key, tally in self.tallies.items() if not (delta := tally.take()).empty}
        lag = Histogram()
        lag.swap(self.lag)
        return taken, lag
