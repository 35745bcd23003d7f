"""Streams and runs without end in one process of Locust's: prints in JSON what each kind leaves behind."""

import gc
import json
import sys
import tempfile
import urllib.request
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import gevent
import locust
from locust.argument_parser import parse_options
from locust.env import Environment

from streamgauge.client.connect.routing import Network
from streamgauge.client.connect.tls import TlsSettings
from streamgauge.client.read import read_schedule
from streamgauge.load import StreamClient, StreamUser
from streamgauge.load.arrivals.waiting_users import ArrivalCounts
from streamgauge.load.metrics.exporter import Exporter
from streamgauge.load.process_meter import ProcessMeter
from tests.client.endings.ways import MIDDLES, SOON_S, WAYS, Way, serving
from tests.held import ROUNDS, held, left_behind

AT_ONCE, TIMES, RUNS = 8, 2, 3


class Clients:
    """Users' clients on the hub's own reactor."""

    def __init__(self, meter: ProcessMeter, way: Way, ports: Mapping[str, int]) -> None:
        self._meter = meter
        proxy = f"http://127.0.0.1:{ports[way.network]}" if way.network in ports else None
        network = Network(proxy, TlsSettings(insecure=way.network != "strict"))
        environment = Environment()
        self._clients = [
            StreamClient(environment, meter.process_context, None, network=network) for _ in range(AT_ONCE)
        ]
        self._url, self._options = way.url.format(**ports), way.options

    def stream(self, kill_after_s: float | None = None) -> None:
        """One stream of each; those that have not ended by then are killed, as Locust kills users."""
        users = [gevent.spawn(each.stream, "GET", self._url, **self._options) for each in self._clients]
        if kill_after_s is None:
            gevent.joinall(users, raise_error=True)
        else:
            gevent.sleep(kill_after_s)
            gevent.killall(users)
        self._meter.process_context.process_stats.take()
        gevent.sleep(0)
        self._meter.process_context.reactor.poll()

    def close(self) -> None:
        for each in self._clients:
            each.close()


def of_streams(way: Way, ports: Mapping[str, int], kill_after_s: float | None = None) -> dict[str, int]:
    """What streams leave behind."""
    meter = ProcessMeter()
    clients, hub = Clients(meter, way, ports), meter.process_context.reactor
    left = left_behind(lambda: clients.stream(kill_after_s), TIMES, AT_ONCE)
    clients.close()
    watched = len(hub._table.readers) - 1 + len(hub._table.items) + len(hub._table._reminders)
    return {**left, **({"watched": watched} if watched else {}), **active(meter)}


def active(meter: ProcessMeter) -> dict[str, int]:
    return {"active": meter.process_context.process_stats.active} if meter.process_context.process_stats.active else {}


class User(StreamUser):
    """Streams that are short."""

    @locust.task
    def stream(self) -> None:
        self.play("/completed", protocol="sse")


class Web:
    """Runs as the web UI starts and stops them, with a reset in each, and scrapes."""

    def __init__(self, host: str) -> None:
        ports: list[int] = []
        opened = Exporter.open
        Exporter.open = lambda *a: (ports.append(opened(*a)), ports[-1])[1]  # type: ignore[method-assign]
        options = parse_options(["--metrics-port", "0", "--headless"])
        self.environment = Environment(user_classes=[User], host=host, events=locust.events, parsed_options=options)
        self.runner = self.environment.create_local_runner()
        locust.events.init.fire(environment=self.environment, runner=self.runner, web_ui=None)
        self._metrics = f"http://127.0.0.1:{ports[0]}/metrics"
        self.finished = 0
        locust.events.request.add_listener(self._count)

    def _count(self, **_: object) -> None:
        self.finished += 1

    def run(self) -> None:
        """One run, scraped before and after its reset and at its end."""
        self.runner.start(3, 100)
        before = self.finished
        for resets in (True, True, False):  # so many streams end after the last one that a run keeps all it ever keeps
            while self.finished < before + 10:
                gevent.sleep(0.01)
            if resets:
                self.environment.events.reset_stats.fire()
            before = self.finished
        self.runner.stop()
        self.scrape()

    def scrape(self) -> list[str]:
        with urllib.request.urlopen(self._metrics, timeout=60) as reply:
            return str(reply.read().decode()).splitlines()

    def series(self) -> int:
        """How many there are, but for results: a run has no value for what did not occur in it."""
        left_out = ("#", "stream_client_result_")
        return sum(not line.startswith(left_out) for line in self.scrape())

    def counted(self) -> float:
        """Streams that ended, by the client metrics."""
        name = "stream_client_finished_total{"
        ends = [line for line in self.scrape() if line.startswith(name) and "censored" not in line]
        return sum(float(line.rpartition(" ")[2]) for line in ends)


def held_later() -> Counter[str]:
    """What is held once that has ended which collects the slices of a run: within a second."""
    gevent.sleep(1.1)
    return held()


def of_runs(host: str) -> dict[str, object]:
    """What runs leave behind, whether the page grows, and what was counted by whom."""
    web = Web(host)
    for _ in range(6):  # as many as have results on the page, and one
        web.run()
    before, held_before, least = web.series(), held_later(), None
    for _ in range(ROUNDS):  # as in ``left_behind``: a run whose times are ranges has more histograms than another
        for _ in range(RUNS):
            web.run()
        now = held_later()
        grown, held_before = now - held_before, now
        least = grown if least is None else least & grown
    kinds = ("descriptors", "threads", "greenlet.greenlet", "gevent._gevent_cgreenlet.Greenlet", "streamgauge")
    return {
        "left": {kind: n for kind, n in (least or {}).items() if kind.startswith(kinds)},
        "series": [before, web.series()],
        "finished": [web.finished, web.counted()],
        "frozen": gc.get_freeze_count(),
    }


def of_seconds() -> dict[str, object]:
    """The slice of a second in which nothing happened, after one in which everything did."""
    meter = ProcessMeter()
    meter.begin()
    process_stats, clock = meter.process_context.process_stats, meter.process_context.clock
    process_stats.begin("a", "sse")
    process_stats.lag.record_ns(5)
    clock.reads, clock.fallbacks, clock.steps = 3, 4, 5
    meter.paused(2.0)
    meter.cut_by_shape()
    meter.hand_over._waiting.counts = ArrivalCounts(6, 7, 8, 9)
    meter._longest_pause_s = meter._stopped_s = meter._longest_stopped_s = 100.0
    meter._hub_lag.record_ns(10**11)
    meter.cut()
    meter.cut()
    full, empty = (part.to_dict() for part in meter.take())
    meter.end()
    return {"full": full, "empty": empty, "taken": len(meter.take())}


def main() -> None:
    # the reactor holds a stream until the time is over in which it is read at once
    read_schedule.YOUNG_S = read_schedule.AT_ONCE_S = 0.0
    found: dict[str, object] = {"seconds": of_seconds()}
    with serving(Path(tempfile.mkdtemp(dir=sys.argv[1]))) as ports:
        found["ended"] = {name: of_streams(way, ports) for name, way in WAYS.items()}
        found["killed"] = {name: of_streams(way, ports, SOON_S) for name, way in MIDDLES.items()}
        found["runs"] = of_runs(f"http://127.0.0.1:{ports['http']}")
    print("\n" + json.dumps(found))


if __name__ == "__main__":
    main()
