"""Reads the body of one stream, by the fast path where it can, and when its schedule says so."""

import math
from collections.abc import Callable

from streamgauge.client.connect.stamped_socket import round_trip_ns
from streamgauge.client.connect.transport import Transport
from streamgauge.client.read.body import BodyReader
from streamgauge.client.read.connection_reader import ConnectionReader
from streamgauge.client.read.fast_path import FastPath
from streamgauge.client.read.read_schedule import ReadSchedule
from streamgauge.client.read.timing import ChunkTimer
from streamgauge.stats.clocks.arrival import ArrivalClock


class StreamReader:
    """Passes what ``reader`` reads to ``on_data``, which says whether the stream goes on after it.

    While the fast path is usable, the batch reader reads the stream instead, and passes on what it cannot handle.
    """

    __slots__ = ("_fast_path", "_on_data", "_reader", "_schedule", "_timer")

    def __init__(
        self,
        reader: ConnectionReader,
        transport: Transport,
        body: BodyReader,
        timer: ChunkTimer,
        clock: ArrivalClock,
        on_data: Callable[[bytes, int], bool],
    ) -> None:
        self._reader, self._timer, self._on_data = reader, timer, on_data
        self._schedule = ReadSchedule(reader.reading, body, timer, clock, round_trip_ns(transport.sock))
        #: None for a stream that never has one.
        self._fast_path = FastPath.of(transport, body, timer, self._schedule, reader)
        reader.pass_to(self._receive)

    def _receive(self, data: bytes, arrival_ns: int) -> None:
        timer, fast_path = self._timer, self._fast_path
        if fast_path is not None:
            fast_path.sync()
        coalesced, last_ns = timer.coalesced, timer.last_ns if timer.exact else -math.inf
        if not self._on_data(data, arrival_ns):
            return
        interval_ns = timer.last_ns - last_ns if timer.coalesced == coalesced else 0
        self._schedule.after_read(interval_ns, stamped=self._reader.stamped)
        if fast_path is not None:
            if fast_path.usable:
                fast_path.resume()
                self._reader.reading.collect(fast_path)
            else:
                self._reader.reading.call(self._reader.read)

    def catch_up(self) -> None:
        """Read at once what has arrived by now."""
        self.sync()
        self._reader.read()

    def sync(self) -> None:
        """Add to the timer and the body what the fast path has counted."""
        if self._fast_path is not None:
            self._fast_path.sync()
