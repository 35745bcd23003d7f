"""However streams end, nothing of them is left: no descriptor, timer, watch, buffer or object, and no count."""

from collections.abc import Iterator

import pytest

from streamgauge.client.connect.routing import Network
from streamgauge.client.connect.target import target_of
from streamgauge.client.connect.tls import TlsSettings
from streamgauge.client.exchange import Exchange
from streamgauge.client.http.request import Request
from streamgauge.client.plan import Limits, StreamPlan
from streamgauge.client.reactor import SelectorReactor
from streamgauge.client.read.process_context import ProcessContext
from streamgauge.client.session import Session
from streamgauge.stats.process_stats import ProcessStats
from streamgauge.wire.formats import FORMATS
from streamgauge.wire.rules import read_end
from tests.client.endings.ways import MIDDLES, SOON_S, WAYS, Way, serving
from tests.held import all_else_frozen, left_behind

AT_ONCE, TIMES = 8, 2


@pytest.fixture(autouse=True, scope="module")
def _all_else_frozen(ports):
    with all_else_frozen():
        yield


@pytest.fixture(scope="module")
def ports(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("endings")) as ports:
        yield ports


@pytest.fixture(autouse=True)
def _watched():
    """The client's sockets are the product's own here."""


class Reactor(SelectorReactor):
    """One that forgets the timers that were stopped at once, where the plain one does so when they are due."""

    def forget_stopped(self) -> int:
        """How many others there are."""
        self._timers = [each for each in self._timers if each[2].callback is not None]
        return len(self._timers)

    @property
    def watched(self) -> int:
        return len(self._selector.get_map())


class Users:
    """Users that stream at once, again and again, on one reactor."""

    def __init__(self, way: Way, ports: dict[str, int]) -> None:
        self.reactor, self.process_stats = Reactor(), ProcessStats()
        self._context = ProcessContext(self.process_stats, self.reactor)
        proxy = f"http://127.0.0.1:{ports[way.network]}" if way.network in ports else None
        network = Network(proxy, TlsSettings(insecure=way.network != "strict"))
        self._sessions = [Session(network) for _ in range(AT_ONCE)]
        limits = {name: value for name, value in way.options.items() if name in Limits.__slots__}
        options = {name: value for name, value in way.options.items() if name not in limits}
        wire_format, end = FORMATS[options.pop("protocol", "auto")], read_end(options.pop("end", None))
        request = Request("GET", target_of(way.url.format(**ports)), {})
        self._plan = StreamPlan(
            "stream", request, wire_format, end, Limits(**{"first_chunk_timeout_s": 60.0, **limits}), **options
        )
        self.outcomes = set[str]()

    def stream(self, cut_after_s: float | None = None) -> None:
        """One stream of each; those that have not ended by then are cut off."""
        paused: list[tuple[Session, Exchange]] = []
        runs = [(session, self._exchange(session, paused)) for session in self._sessions]
        for session, exchange in runs:
            session.start(exchange)
        cut: list[bool] = []
        timer = None if cut_after_s is None else self.reactor.after(cut_after_s, lambda: cut.append(True))
        while any(not exchange.ended for _, exchange in runs) and not cut:
            self.reactor.run_until(lambda: bool(paused or cut or all(exchange.ended for _, exchange in runs)))
            while paused:
                session, exchange = paused.pop()
                session.go_on(exchange)
        if timer is not None:
            timer.stop()
        for session, exchange in runs:
            exchange.censor()
            session.finish(exchange)
            self.outcomes.add(str(exchange.record.outcome))
        self.process_stats.take()
        self.reactor.forget_stopped()

    def _exchange(self, session: Session, paused: list[tuple[Session, Exchange]]) -> Exchange:
        exchange = Exchange(self._plan, self._context, lambda: paused.append((session, exchange)))
        return exchange

    def leave(self) -> None:
        """Close the connections that are idle, which are watched until then."""
        for session in self._sessions:
            session.close()

    def close(self) -> None:
        self.leave()
        self.reactor.close()


@pytest.fixture
def users(ports) -> Iterator:
    made: list[Users] = []

    def make(way: Way) -> Users:
        made.append(Users(way, ports))
        return made[-1]

    yield make
    for each in made:
        each.close()


def assert_nothing_left(users: Users, cut_after_s: float | None = None) -> None:
    assert left_behind(lambda: users.stream(cut_after_s), TIMES, AT_ONCE) == {}
    users.leave()
    assert (users.process_stats.active, users.reactor.watched, users.reactor.forget_stopped()) == (0, 0, 0)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_nothing_is_left_of_streams_that_ended(way, users):
    made = users(way)
    assert_nothing_left(made)
    assert made.outcomes <= set(way.outcomes.split())


@pytest.mark.parametrize("way", MIDDLES.values(), ids=MIDDLES)
def test_nothing_is_left_of_streams_that_the_end_of_the_run_cut_off(way, users):
    made = users(way)
    assert_nothing_left(made, SOON_S)
    assert made.outcomes == {"censored"}
