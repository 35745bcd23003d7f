"""What a generator that waited for a CPU added to the time between the start of a stream and its request.

1. While the stream's own code runs, every wait delays the request by as much.
2. While a TCP connection is being made, a wait delays it by no more than the generator was late to see the connection:
   the time that passed, less the round trip that the kernel measured.
3. During a TLS handshake, or behind a proxy, a wait may have cost its whole length or nothing.

The stream's times leave out what is known (1, 2). What is only possible (3) makes the time to first chunk uncertain.
"""

from collections.abc import Callable


class StartDelay:
    """The delay of one stream so far. All times are ns; ``waited_ns`` is the account of this thread's waits."""

    __slots__ = ("_began_ns", "_mark_ns", "_now_ns", "_waited_ns", "known_ns", "possible_ns")

    def __init__(self, waited_ns: Callable[[], int], now_ns: Callable[[], int]) -> None:
        self._waited_ns, self._now_ns = waited_ns, now_ns
        self._mark_ns = waited_ns()
        self._began_ns = 0
        self.known_ns = self.possible_ns = 0

    def resume(self) -> None:
        """The stream's code runs again, after a wait for something else than a connection."""
        self._mark_ns = self._waited_ns()

    def connect(self) -> None:
        """A connection is being made from now on."""
        self.known_ns += self._waits_ns()
        self._began_ns = self._now_ns()

    def connected(self, round_trip_ns: int | None) -> None:
        """There is a connection, after one round trip of this length; None where it took more than one."""
        waits_ns = self._waits_ns()
        if round_trip_ns is None:
            self.possible_ns += waits_ns
        else:
            self.known_ns += max(0, min(waits_ns, self._now_ns() - self._began_ns - round_trip_ns))

    def send(self) -> None:
        """The request is about to be sent: a server that it wakes may take the CPU, which delays nothing."""
        self.known_ns += self._waits_ns()

    def _waits_ns(self) -> int:
        """How long the thread has waited since this was asked last."""
        before_ns, self._mark_ns = self._mark_ns, self._waited_ns()
        return self._mark_ns - before_ns
