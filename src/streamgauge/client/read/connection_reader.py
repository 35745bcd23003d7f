"""Reads one connection when it is readable, and passes each read on with its arrival time."""

from collections.abc import Callable

from streamgauge.client.connect.transport import Transport
from streamgauge.client.reactor import Reactor
from streamgauge.stats.clocks.arrival import ArrivalClock
from streamgauge.stats.histogram import Histogram

#: Takes the bytes of one read and their arrival in monotonic ns; ``b""`` is the peer's clean end.
OnData = Callable[[bytes, int], object]


class ConnectionReader:
    """Reads ``transport`` until it is stopped. ``on_data`` gets what it reads, ``on_error`` what goes wrong.

    ``lag`` counts how long each read waited in the kernel.
    """

    __slots__ = ("_clock", "_lag", "_on_data", "_on_error", "_transport", "reading", "stamped")

    def __init__(
        self,
        transport: Transport,
        reactor: Reactor,
        clock: ArrivalClock,
        lag: Histogram,
        on_data: OnData,
        on_error: Callable[[OSError], None],
    ) -> None:
        self._transport, self._clock, self._lag = transport, clock, lag
        self._on_data, self._on_error = on_data, on_error
        #: Whether the kernel stamped the last read that :meth:`read` did.
        self.stamped = False
        #: The watch that calls :meth:`read`.
        self.reading = transport.watch(reactor, self.read)

    def read(self) -> None:
        """Read what has arrived and pass it on."""
        try:
            data, stamp_ns = self._transport.read()
        except OSError as error:
            self.fail(error)
            return
        if data:
            self.stamped = stamp_ns is not None
            arrival_ns = self._clock.locate(stamp_ns)
            if self.stamped:
                self._lag.record_ns(self._clock.now_ns - arrival_ns)
            self._on_data(data, arrival_ns)
        elif data is not None:  # None: TLS records without data
            self._on_data(data, 0)

    def pass_on(self, data: bytes, arrival_ns: int) -> None:
        """Pass on a read that the batch reader did."""
        self._on_data(data, arrival_ns)

    def fail(self, error: OSError) -> None:
        """Pass on an error, unless it only says that there is nothing to read."""
        if not isinstance(error, BlockingIOError | InterruptedError):
            self._on_error(error)

    def pass_to(self, on_data: OnData) -> None:
        """Pass reads to ``on_data`` from now on."""
        self._on_data = on_data

    def stop(self) -> None:
        """Stop reading, before the connection is left or closed. A read that the batch reader still does is dropped."""
        self._on_data = self._on_error = _drop


def _drop(*_: object) -> None:
    """Drop a read or an error of a connection that is no longer in use."""
