"""Runs the engine without Locust: opens streams at a steady rate on its own reactor, and reads all to their ends.

``python -m benchmarks.engine.clients.bare_engine URL STREAMS STREAMS_PER_S LIMIT_S FILE`` writes the counts to FILE.
"""

import json
import sys
import time
from collections import Counter
from pathlib import Path

from streamgauge.client.connect.target import target_of
from streamgauge.client.exchange import Exchange
from streamgauge.client.http.request import Request
from streamgauge.client.plan import Limits, StreamPlan
from streamgauge.client.reactor import SelectorReactor
from streamgauge.client.read.process_context import ProcessContext
from streamgauge.client.session import Session
from streamgauge.stats.process_stats import ProcessStats
from streamgauge.wire.rules import read_end
from streamgauge.wire.sse import SSE

#: Interval between starts of streams.
STEP_S = 0.02


class Crowd:
    """Streams on one reactor; each has its own session, as users have."""

    def __init__(self, url: str, streams: int, rate: float, limit_s: float) -> None:
        self._url, self._streams, self._rate = url, streams, rate
        self._limits = Limits(first_chunk_timeout_s=limit_s, idle_timeout_s=limit_s)
        self._reactor = SelectorReactor()
        self._process_stats = ProcessStats()
        self._context = ProcessContext(self._process_stats, self._reactor)
        self._running: dict[int, tuple[Session, Exchange]] = {}
        self._paused: list[int] = []
        self._begun = 0
        self._begin_s = 0.0
        self.outcomes: Counter[str] = Counter()
        self.started_s = self.open_s = 0.0

    def run(self) -> None:
        """Open all streams, and read them to their ends."""
        self.started_s, self._begin_s = time.time(), time.monotonic()
        self._open_more()
        while self._begun < self._streams or self._running:
            self._reactor.run_until(lambda: bool(self._paused))
            self._go_on(self._paused.pop())
        self._reactor.close()

    def _open_more(self) -> None:
        due = min(self._streams, round((time.monotonic() - self._begin_s) * self._rate) + 1)
        for number in range(self._begun, due):
            self._begin(number)
        self._begun = due
        if due < self._streams:
            self._reactor.after(STEP_S, self._open_more)
        else:
            self.open_s = time.time() + 1

    def _begin(self, number: int) -> None:
        headers = {"Accept": "text/event-stream", "Accept-Encoding": "identity"}
        request = Request("GET", target_of(self._url), headers)
        plan = StreamPlan("/sse", request, SSE, read_end("event:done"), self._limits)
        session = Session()
        exchange = Exchange(plan, self._context, lambda: self._paused.append(number))
        self._running[number] = session, exchange
        session.start(exchange)

    def _go_on(self, number: int) -> None:
        session, exchange = self._running[number]
        if session.go_on(exchange):
            return
        self.outcomes[exchange.record.outcome] += 1
        session.finish(exchange)
        session.close()
        del self._running[number]

    @property
    def chunks(self) -> int:
        """Return the chunks of all streams so far."""
        return sum(stats.chunks for stats in self._process_stats.all_stats.values())


def main(url: str, streams: str, rate: str, limit_s: str, file: str) -> None:
    """Run the streams and write their figures."""
    crowd = Crowd(url, int(streams), float(rate), float(limit_s))
    time.sleep(1)  # so that the memory before the first stream can be sampled
    crowd.run()
    found = {name: getattr(crowd, name) for name in ("started_s", "open_s", "outcomes", "chunks")}
    Path(file).write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
