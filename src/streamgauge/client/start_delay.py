"""How much a wait for a CPU, in the generator, delayed the request of a stream after the stream's start.

1. While the stream's own code runs, every wait delays the request by as much.
2. While a TCP connection is being made, a wait delays it by no more than the generator was late to see the connection:
   the time that passed, less the round trip that the kernel measured.
3. While a name is looked up, during a TLS handshake, or behind a proxy, a wait may have cost its whole length or
   nothing.

The stream's times leave out known delays (1, 2). Possible delays (3) make the time to first chunk uncertain.
"""

from collections.abc import Callable


class StartDelay:
    """The delay of one stream so far. All times are ns; ``waited_ns`` returns this thread's waits so far."""

    __slots__ = ("_began_ns", "_mark_ns", "_now_ns", "_waited_ns", "known_ns", "possible_ns")

    def __init__(self, waited_ns: Callable[[], int], now_ns: Callable[[], int]) -> None:
        self._waited_ns, self._now_ns = waited_ns, now_ns
        self._mark_ns = waited_ns()
        self._began_ns = 0
        self.known_ns = self.possible_ns = 0

    @property
    def waited_ns(self) -> int:
        """How long the thread had waited so far when that was last read."""
        return self._mark_ns

    def resume(self) -> None:
        """Note that the stream's code runs again, after a wait for anything but a connection."""
        self._mark_ns = self._waited_ns()

    def look_up(self) -> None:
        """Note that a name is being looked up from now on."""
        self.known_ns += self._waits_ns()

    def looked_up(self) -> None:
        """Note that the stream's code runs again, after the look-up."""
        self.possible_ns += self._waits_ns()

    def connect(self) -> None:
        """Note that a connection is being made from now on."""
        self.known_ns += self._waits_ns()
        self._began_ns = self._now_ns()

    def connected(self, round_trip_ns: int | None) -> None:
        """Note that the connection is ready, after one round trip of this length; None if it took more than one."""
        waits_ns = self._waits_ns()
        if round_trip_ns is None:
            self.possible_ns += waits_ns
        else:
            self.known_ns += max(0, min(waits_ns, self._now_ns() - self._began_ns - round_trip_ns))

    def send(self) -> None:
        """Note that the request is about to be sent: a server that it wakes may take the CPU, which delays nothing."""
        self.known_ns += self._waits_ns()

    def _waits_ns(self) -> int:
        """Return how long the thread has waited since the last call."""
        before_ns, self._mark_ns = self._mark_ns, self._waited_ns()
        return self._mark_ns - before_ns
