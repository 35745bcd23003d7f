"""Reads a connection slowly on purpose: at most so many bytes per second.

What has arrived and is not read fills the receive window, so that the server's sends come to wait. The arrival of a
chunk is the time at which this reader took its last byte: the kernel's stamp would show when the window had room. How
long a read waited is no lag of the generator, and is not counted as one.
"""

from collections.abc import Callable

from streamgauge.client.connect.read_limit import ReadLimit
from streamgauge.client.connect.transport import Transport
from streamgauge.client.reactor import Callback, Reactor, Watch
from streamgauge.client.read.connection_reader import ConnectionReader, OnData
from streamgauge.client.read.process_context import ProcessContext
from streamgauge.client.read.timing import ChunkTimer


class PacedReading:
    """A ``Reading`` that can pause. It always calls its callback: a slow reader is never on the fast path."""

    __slots__ = ("_callback", "_fd", "_reactor", "_stopped", "_watch")

    def __init__(self, reactor: Reactor, fd: int, callback: Callback) -> None:
        self._reactor, self._fd, self._callback = reactor, fd, callback
        self._stopped = False
        self._watch: Watch = reactor.on_readable(fd, callback)

    def pause(self, for_s: float) -> None:
        """Call nothing for this long."""
        self._watch.stop()
        self._watch = self._reactor.after(for_s, self._go_on)

    def _go_on(self) -> None:
        if not self._stopped:
            self._watch = self._reactor.on_readable(self._fd, self._callback)

    def call(self, callback: Callback) -> None:
        """See ``Reading``; the callback is that of the start."""

    def collect(self, item: object) -> None:
        """See ``Reading``; nothing of a slow reader is collected."""

    def may_wait(self, wait_s: float) -> None:
        """See ``Reading``; the pace alone decides."""

    def read_at_once_for(self, for_s: float) -> None:
        """See ``Reading``; the pace alone decides."""

    def stop(self) -> None:
        """See ``Watch``."""
        self._stopped = True
        self._watch.stop()


class PacedReader(ConnectionReader):
    """Reads ``transport`` at ``bytes_per_s``. It tells ``timer`` when it took something, from which limits count."""

    __slots__ = ("_due_ns", "_limit", "_now_ns", "_timer")
    reading: PacedReading

    def __init__(
        self,
        transport: Transport,
        context: ProcessContext,
        on_data: OnData,
        on_error: Callable[[OSError], None],
        bytes_per_s: float,
        timer: ChunkTimer,
    ) -> None:
        self._limit, self._timer = ReadLimit(bytes_per_s), timer
        self._now_ns = context.process_stats.now_ns
        #: When all that was read so far has been read at the rate.
        self._due_ns = 0.0
        transport.limit_reads(self._limit)
        super().__init__(transport, context.reactor, context.clock, context.process_stats.lag, on_data, on_error)
        transport.unwatch()
        self.reading = PacedReading(context.reactor, transport.sock.fileno(), self.read)

    def read(self) -> None:
        """Read a little of what has arrived, pass it on, and pause for as long as the rate asks for."""
        before_bytes = self._limit.taken_bytes
        try:
            data, _ = self._transport.read()
        except OSError as error:
            self.fail(error)
            return
        now_ns = self._timer.taken_ns = self._now_ns()
        self._pause(now_ns, self._limit.taken_bytes - before_bytes)
        if data is not None:
            self._on_data(data, now_ns)

    def _pause(self, now_ns: int, taken_bytes: int) -> None:
        self._due_ns = max(now_ns, self._due_ns) + taken_bytes / self._limit.bytes_per_s * 1e9
        if self._due_ns > now_ns:
            self.reading.pause((self._due_ns - now_ns) / 1e9)

    def stop(self) -> None:
        """Stop reading; the next stream on the connection reads without a limit."""
        self._transport.limit_reads(None)
        self.reading.stop()
        super().stop()
