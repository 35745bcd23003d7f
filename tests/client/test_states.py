"""The table of a stream's states: scripted streams walk all of it, and nothing else is allowed."""

import dataclasses
from collections.abc import Callable
from typing import Any, get_args

import pytest

from streamgauge.client import reconnect, states
from streamgauge.client.connect.routing import RouteError
from streamgauge.client.exchange import Exchange
from streamgauge.client.reactor import SelectorReactor
from streamgauge.client.read.process_context import ProcessContext
from streamgauge.client.session import Session
from streamgauge.client.standing import AnyState
from streamgauge.client.state_table import TRANSITIONS, State, StateError, check_transition
from streamgauge.client.states import Closing, Ended
from streamgauge.stats.process_stats import ProcessStats
from streamgauge.wire.websocket_handshake import accept_of

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENT, END = b"9\r\ndata: 1\n\n\r\n", b"0\r\n\r\n"
SOON = b"b\r\nretry: 10\n\n\r\n"
WHOLE = HEAD + EVENT + END
MOVED = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"
REFUSED = b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"
AGES_S = 300.0

ROUTING, CONNECTING, AWAITING_RESPONSE = State.ROUTING, State.CONNECTING, State.AWAITING_RESPONSE
STREAMING, CLOSING, WAITING, ENDED = State.STREAMING, State.CLOSING, State.WAITING_TO_RECONNECT, State.ENDED
SKIPPING = State.SKIPPING
#: All transitions of the table.
LISTED = {(before, after) for before, allowed in TRANSITIONS.items() for after in allowed}


def upgrade(connection: Any, head: bytes) -> None:
    """Open the WebSocket that was asked for, and send one message."""
    (key,) = (line[18:].strip() for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key:"))
    fields = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept_of(key.decode()).encode()
    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\n" + fields + b"\r\n\r\n\x81\x01x")


def unknown_host(*_: Any, **__: Any) -> Any:
    raise RouteError("no such host")


@pytest.fixture
def walked(server, plan, monkeypatch) -> Callable[..., list[tuple[State, State]]]:
    """The transitions of a stream whose n-th request is answered by the n-th script, all later ones by the last."""
    monkeypatch.setattr(reconnect, "DEFAULT_WAIT_S", 0.01)
    monkeypatch.setattr(states, "ENDING_S", 0.01)

    def walk(*scripts: Any, url: str = "", route: Any = None, run_ends_in: State | None = None, **options: Any) -> Any:
        server.on_request = {number: {"/": script} for number, script in enumerate(scripts[:-1], 1)}
        reactor, paused, walked = SelectorReactor(), [], []
        made = plan(scripts[-1] if scripts else (), url=url, **options)
        exchange = Exchange(made, ProcessContext(ProcessStats(), reactor), lambda: paused.append(True))
        enter = exchange._enter
        exchange._enter = lambda state: (walked.append((exchange.state, state.name)), enter(state))
        session = Session()
        if route is not None:
            session._network = route

        def wait() -> None:
            reactor.run_until(lambda: paused or exchange.state is run_ends_in)
            if not paused:
                exchange.censor()
            paused.clear()

        if run_ends_in is ROUTING:
            exchange.censor()
        session.run(exchange, wait)
        session.close()
        reactor.close()
        assert exchange.ended
        return walked

    return walk


class NoRoute:
    route_to = staticmethod(unknown_host)


STREAM = [(ROUTING, CONNECTING), (CONNECTING, AWAITING_RESPONSE), (AWAITING_RESPONSE, STREAMING)]
BROKEN_OFF = [*STREAM, (STREAMING, WAITING)]
AGAIN = [(WAITING, ROUTING), (ROUTING, CONNECTING), (CONNECTING, AWAITING_RESPONSE)]
REFUSAL = [(AWAITING_RESPONSE, SKIPPING), (SKIPPING, ENDED)]
ON_A_KEPT_CONNECTION = [(AWAITING_RESPONSE, SKIPPING), (SKIPPING, ROUTING), (ROUTING, AWAITING_RESPONSE)]
#: What the server and the plan do, and the transitions of the stream.
WALKS: dict[str, tuple[dict[str, Any], list[Any], list[tuple[State, State]]]] = {
    "a stream": ({}, [[WHOLE]], [*STREAM, (STREAMING, ENDED)]),
    "a refusal": ({}, [[REFUSED]], [*STREAM[:2], *REFUSAL]),
    "no response": ({}, [["fin"]], [*STREAM[:2], (AWAITING_RESPONSE, ENDED)]),
    "no such host": ({"route": NoRoute}, [], [(ROUTING, ENDED)]),
    "no such host, twice": (
        {"route": NoRoute, "reconnect": 1}, [], [(ROUTING, WAITING), (WAITING, ROUTING), (ROUTING, ENDED)],
    ),
    "nobody listens": ({"url": "http://127.0.0.1:1/"}, [], [(ROUTING, CONNECTING), (CONNECTING, ENDED)]),
    "nobody listens, twice": (
        {"url": "http://127.0.0.1:1/", "reconnect": 1}, [],
        [(ROUTING, CONNECTING), (CONNECTING, WAITING), (WAITING, ROUTING), (ROUTING, CONNECTING), (CONNECTING, ENDED)],
    ),
    "a redirect on one connection": (
        {}, [[MOVED], [WHOLE]],
        [*STREAM[:2], *ON_A_KEPT_CONNECTION, (AWAITING_RESPONSE, STREAMING), (STREAMING, ENDED)],
    ),
    "a kept connection that was closed": (
        {}, [[MOVED], ["fin"], [WHOLE]],
        [*STREAM[:2], *ON_A_KEPT_CONNECTION, (AWAITING_RESPONSE, ROUTING), *STREAM, (STREAMING, ENDED)],
    ),
    "a reconnect before the response": (
        {"reconnect": 1}, [["fin"], [REFUSED]],
        [*STREAM[:2], (AWAITING_RESPONSE, WAITING), *AGAIN, *REFUSAL],
    ),
    "a reconnect in the stream": (
        {"reconnect": 1}, [[HEAD + SOON + EVENT, "read", "fin"], [WHOLE]],
        [*BROKEN_OFF, *AGAIN, (AWAITING_RESPONSE, STREAMING), (STREAMING, ENDED)],
    ),
    "the end of the run before a reconnect": (
        {"reconnect": 1, "run_ends_in": WAITING}, [[HEAD + b"f\r\nretry: 100000\n\n\r\n" + EVENT, "read", "fin"]],
        [*BROKEN_OFF, (WAITING, ENDED)],
    ),
    "the end of the run before a route": ({"run_ends_in": ROUTING}, [[WHOLE]], [(ROUTING, ENDED)]),
    "a body that goes on after its named end": (
        {"end": "event:message"}, [[HEAD + EVENT, AGES_S]], [*STREAM, (STREAMING, CLOSING), (CLOSING, ENDED)],
    ),
    "a WebSocket": (
        {"protocol": "websocket", "end": "chunks:1"}, [[upgrade, "read", b"\x88\x02\x03\xe8"]],
        [*STREAM, (STREAMING, CLOSING), (CLOSING, ENDED)],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("options", "scripts", "transitions"), WALKS.values(), ids=WALKS)
def test_a_stream_walks_the_table(options, scripts, transitions, walked):
    assert walked(*scripts, **options) == transitions


def test_scripted_streams_walk_all_of_the_table():
    assert {step for _, _, transitions in WALKS.values() for step in transitions} == LISTED


def reachable(start: State) -> set[State]:
    found, left = {start}, [start]
    while left:
        new = set(TRANSITIONS[left.pop()]) - found
        found |= new
        left += new
    return found


def test_every_state_is_reachable_and_has_a_way_to_the_end():
    assert reachable(ROUTING) == set(State) == set(TRANSITIONS)
    assert all(ENDED in reachable(state) for state in State)
    assert TRANSITIONS[ENDED] == {}


FORBIDDEN = sorted({(before, after) for before in State for after in State} - LISTED)


@pytest.mark.parametrize(("before", "after"), FORBIDDEN, ids=lambda state: state.value)
def test_any_other_transition_raises(before, after):
    with pytest.raises(StateError, match=f"from {before} to {after}"):
        check_transition(before, after)


def test_a_stream_checks_its_transitions(plan):
    reactor = SelectorReactor()
    exchange = Exchange(plan(), ProcessContext(ProcessStats(), reactor), lambda: None)
    exchange.censor()
    with pytest.raises(StateError, match="from ended to ended"):
        exchange._fail_to_connect("again")
    assert exchange.record.outcome == "censored"
    reactor.close()


def test_a_record_is_there_when_the_stream_has_ended_and_not_before(plan):
    reactor = SelectorReactor()
    exchange = Exchange(plan(), ProcessContext(ProcessStats(), reactor), lambda: None)
    with pytest.raises(StateError, match="this one is routing"):
        _ = exchange.record
    exchange.censor()
    assert exchange.result() is exchange.record
    reactor.close()


def test_each_state_has_one_object_whose_fields_are_all_given_when_it_begins():
    kinds = {*get_args(AnyState), Closing}
    assert sorted(kind.name for kind in kinds) == sorted(State)
    defaults = {
        (kind.name, field.name) for kind in kinds for field in dataclasses.fields(kind)
        if field.default is not dataclasses.MISSING
    }  # fmt: skip
    assert defaults == set()
    assert [field.name for field in dataclasses.fields(Ended)] == ["record", "error"]
