"""How many streams a client may start a second: a token bucket for each."""

import time
from collections import OrderedDict
from collections.abc import Callable


class Buckets:
    """A bucket for each client: it holds ``burst`` tokens at most, and gets ``per_s`` of them a second.

    Of ``clients`` clients the longest unseen is forgotten first, so that addresses made up by an attacker take no more
    memory than that; who comes back finds a full bucket.
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
        """Take a token. Gives the seconds to wait until there is one: 0 if it was taken."""
        now_s = self._clock()
        tokens, then_s = self._buckets.pop(client, (float(self._burst), now_s))
        tokens = min(self._burst, tokens + (now_s - then_s) * self._per_s)
        wait_s = 0.0 if tokens >= 1 else (1 - tokens) / self._per_s
        self._buckets[client] = (tokens if wait_s else tokens - 1, now_s)
        if len(self._buckets) > self._clients:
            self._buckets.popitem(last=False)
        return wait_s
