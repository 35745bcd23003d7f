"""The limit on streams that a client may start per second: a token bucket for each client."""

import time
from collections import OrderedDict
from collections.abc import Callable


class TokenBuckets:
    """A bucket for each client: it holds at most ``burst`` tokens and gets ``per_s`` tokens a second.

    Only the last ``clients`` clients are remembered, so that made-up addresses cannot fill the memory; a forgotten
    client starts with a full bucket.
    """

    def __init__(
        self, per_s: float, burst: int, clients: int = 10_000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_s = per_s
        self._burst = burst
        self._clients = clients
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str) -> float:
        """Take a token and return 0, or return the seconds until there is one."""
        now_s = self._clock()
        tokens, then_s = self._buckets.pop(client, (float(self._burst), now_s))
        tokens = min(self._burst, tokens + (now_s - then_s) * self._per_s)
        wait_s = 0.0 if tokens >= 1 else (1 - tokens) / self._per_s
        self._buckets[client] = (tokens if wait_s else tokens - 1, now_s)
        if len(self._buckets) > self._clients:
            self._buckets.popitem(last=False)
        return wait_s

    def give_back(self, client: str) -> None:
        """Put a token back that the client took; nothing if it was forgotten meanwhile."""
        if client in self._buckets:
            tokens, then_s = self._buckets[client]
            self._buckets[client] = (min(self._burst, tokens + 1), then_s)
