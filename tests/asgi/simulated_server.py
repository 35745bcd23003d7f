"""A simulated server: it runs apps through the middleware in this process, on a clock that moves only when told to."""

import asyncio
import selectors
import sys

from prometheus_client import CollectorRegistry

from streamgauge.asgi import StreamMetrics


class Clock:
    """A replacement for ``perf_counter``. Tests advance it by powers of two, which add up without rounding."""

    def __init__(self, monkeypatch):
        self.now_s = 1024.0
        for name, module in list(sys.modules.items()):
            if name.startswith("streamgauge.asgi") and hasattr(module, "perf_counter"):
                monkeypatch.setattr(module, "perf_counter", lambda: self.now_s)

    def advance(self, seconds):
        self.now_s += seconds

    def loop(self):
        """Return an event loop on this clock. When it would wait for a timer, the clock jumps to that timer."""
        loop = asyncio.SelectorEventLoop(JumpingSelector(self))
        loop.time = lambda: self.now_s
        return loop

    def run(self, coroutine):
        """Run a coroutine on an event loop of this clock."""
        with asyncio.Runner(loop_factory=self.loop) as runner:
            return runner.run(coroutine)


class JumpingSelector(selectors.SelectSelector):
    """A selector that advances the clock instead of waiting."""

    def __init__(self, clock):
        super().__init__()
        self._clock = clock

    def select(self, timeout=None):
        self._clock.advance(timeout or 0.0)
        return super().select(timeout and 0)


class SimulatedServer:
    """A simulated server with its own registry."""

    def __init__(self, clock):
        self.clock, self.registry, self.send_s = clock, CollectorRegistry(), 0.0
        self.wire = []
        self.disconnected, self.hangs_up_at = asyncio.Event(), 0

    def measured(self, app, **options):
        """Return ``app`` in the middleware, with its paths as routes."""
        return StreamMetrics(app, registry=self.registry, **{"route": lambda scope: scope["path"], **options})

    def run(self, app, method="GET", path="/s", receive=None, scope=(), measured=False, **options):
        """Run one request of ``app``, in the middleware unless it is ``measured``; each send takes ``self.send_s``."""
        self.disconnected = asyncio.Event()

        async def silent():
            await self.disconnected.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            self.clock.advance(self.send_s)
            self.wire.append(message)
            if self.hangs_up_at == len(self.wire):
                await self.hang_up()

        runs = app if measured or isinstance(app, StreamMetrics) else self.measured(app, **options)
        told = {"type": "http", "method": method, "path": path, "headers": [], **dict(scope)}
        self.clock.run(runs(told, receive or silent, send))

    async def hang_up(self):
        """Hang up as the client, and let everything that waits on ``receive`` read the disconnect."""
        self.disconnected.set()
        for _ in range(5):
            await asyncio.sleep(0)

    def stream(self, steps, media_type="text/event-stream", headers=(), start_s=0.0, end=(0.0, 0.0), path="/s", **more):
        """Stream the body of each step (pause_s, body, send_s) after its pause, with a send that takes ``send_s``."""

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
        """Stream these bodies without pauses."""
        self.stream([(0.0, body, 0.0) for body in bodies], **more)

    @property
    def bodies_sent(self):
        """The bodies that the middleware passed to the server."""
        return [bytes(message.get("body") or b"") for message in self.wire if message["type"] == "http.response.body"]

    def outcomes(self):
        """Return the number of finished streams by outcome."""
        samples = [sample for family in self.registry.collect() for sample in family.samples]
        ends = [sample for sample in samples if sample.name == "stream_server_finished_total" and sample.value]
        return {sample.labels["outcome"]: sample.value for sample in ends}

    def value(self, name, **labels):
        """Return the sum of the samples with these labels. ``name``: with or without "stream_server_"."""
        samples = [sample for family in self.registry.collect() for sample in family.samples]
        names = (name, f"stream_server_{name}")
        return sum(s.value for s in samples if s.name in names and labels.items() <= s.labels.items())

    def buckets(self, name, **labels):
        """Return the number of observations in each bucket that has any, without those of smaller buckets."""
        found, below = {}, 0.0
        for family in self.registry.collect():
            for sample in family.samples:
                if sample.name in (f"{name}_bucket", f"stream_server_{name}_bucket"):
                    if labels.items() <= sample.labels.items() and sample.value - below:
                        found[float(sample.labels["le"])] = sample.value - below
                    below = sample.value if sample.labels["le"] != "+Inf" else 0.0
        return found
