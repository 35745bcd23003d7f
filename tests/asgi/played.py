"""Streams and requests played through the middleware in this process, on a clock that moves only when told to."""

import asyncio
import selectors
import sys

from prometheus_client import CollectorRegistry

from streamgauge.asgi import StreamMetrics


class Clock:
    """Stands for ``perf_counter``. Its steps are powers of two, so that they add up without rounding."""

    def __init__(self, monkeypatch):
        self.now_s = 1024.0
        for name, module in list(sys.modules.items()):
            if name.startswith("streamgauge.asgi") and hasattr(module, "perf_counter"):
                monkeypatch.setattr(module, "perf_counter", lambda: self.now_s)

    def advance(self, seconds):
        self.now_s += seconds

    def loop(self):
        """An event loop on this clock: where it has nothing to do but wait for a timer, the clock moves on to that."""
        loop = asyncio.SelectorEventLoop(Impatient(self))
        loop.time = lambda: self.now_s
        return loop

    def run(self, coroutine):
        """Run a coroutine on such a loop."""
        with asyncio.Runner(loop_factory=self.loop) as runner:
            return runner.run(coroutine)


class Impatient(selectors.SelectSelector):
    """Waits for nothing that takes time."""

    def __init__(self, clock):
        super().__init__()
        self._clock = clock

    def select(self, timeout=None):
        self._clock.advance(timeout or 0.0)
        return super().select(timeout and 0)


class Stage:
    """One registry, and a server that runs apps against it."""

    def __init__(self, clock):
        self.clock, self.registry, self.send_s = clock, CollectorRegistry(), 0.0
        self.wire = []
        self.gone, self.leaves_at = asyncio.Event(), 0

    def measured(self, app, **options):
        """Measure ``app``; its routes are its paths."""
        return StreamMetrics(app, registry=self.registry, **{"route": lambda scope: scope["path"], **options})

    def run(self, app, method="GET", path="/s", receive=None, scope=(), **options):
        """Run one request of ``app``, or of its ``StreamMetrics``; each send takes ``self.send_s``."""
        self.gone = asyncio.Event()

        async def silent():
            await self.gone.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            self.clock.advance(self.send_s)
            self.wire.append(message)
            if self.leaves_at == len(self.wire):
                await self.leave()

        measured = app if isinstance(app, StreamMetrics) else self.measured(app, **options)
        told = {"type": "http", "method": method, "path": path, "headers": [], **dict(scope)}
        self.clock.run(measured(told, receive or silent, send))

    async def leave(self):
        """Let the client hang up; what reads its messages has read of that afterwards."""
        self.gone.set()
        for _ in range(5):
            await asyncio.sleep(0)

    def stream(self, steps, media_type="text/event-stream", headers=(), start_s=0.0, end=(0.0, 0.0), path="/s", **more):
        """Stream each step's body, after a pause and as long as its send takes: (pause_s, body, send_s)."""

        async def app(scope, receive, send):
            self.clock.advance(start_s)
            fields = [(b"content-type", media_type.encode()), *headers]
            await send({"type": "http.response.start", "status": 200, "headers": fields})
            for pause_s, body, send_s in steps:
                self.clock.advance(pause_s)
                self.send_s = send_s
                await send({"type": "http.response.body", "body": body, "more_body": True})
            self.clock.advance(end[0])
            self.send_s = end[1]
            await send({"type": "http.response.body"})
            self.send_s = 0.0

        self.run(app, path=path, **more)

    def bodies(self, *bodies, **more):
        """Stream these bodies, without a pause."""
        self.stream([(0.0, body, 0.0) for body in bodies], **more)

    @property
    def bodies_sent(self):
        """The bodies that the server was given."""
        return [bytes(message.get("body") or b"") for message in self.wire if message["type"] == "http.response.body"]

    def outcomes(self):
        """How many streams ended how."""
        samples = [sample for family in self.registry.collect() for sample in family.samples]
        ends = [sample for sample in samples if sample.name == "stream_server_finished_total" and sample.value]
        return {sample.labels["outcome"]: sample.value for sample in ends}

    def value(self, name, **labels):
        """The sum of a metric's samples with these labels; without "stream_server_"."""
        samples = [sample for family in self.registry.collect() for sample in family.samples]
        names = (name, f"stream_server_{name}")
        return sum(s.value for s in samples if s.name in names and labels.items() <= s.labels.items())

    def buckets(self, name, **labels):
        """How many observations each bucket of a histogram has of its own, where there are any."""
        found, below = {}, 0.0
        for family in self.registry.collect():
            for sample in family.samples:
                if sample.name in (f"{name}_bucket", f"stream_server_{name}_bucket"):
                    if labels.items() <= sample.labels.items() and sample.value - below:
                        found[float(sample.labels["le"])] = sample.value - below
                    below = sample.value if sample.labels["le"] != "+Inf" else 0.0
        return found
