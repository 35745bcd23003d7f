"""How a WebSocket is asked for where the scenario has handshake fields of its own."""

from collections import Counter

import pytest

from streamgauge.client.connect.routing import Network
from streamgauge.client.exchange import Exchange
from streamgauge.client.reactor import SelectorReactor
from streamgauge.client.read.process_context import ProcessContext
from streamgauge.client.session import Session
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.process_stats import ProcessStats
from streamgauge.wire.websocket_handshake import accept_of

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9\r\n\r\ndata: 1\n\n"
MESSAGE_AND_CLOSE = b"\x81\x01x\x88\x02\x03\xe8"


def field_of(head: bytes, name: str) -> list[str]:
    lines = [line.partition(":") for line in head.decode().split("\r\n")]
    return [value.strip() for key, _, value in lines if key.lower() == name]


def opens(*fields: str):
    """A step that opens the WebSocket that was asked for, and ends it after a message."""

    def step(connection, head):
        (key,) = field_of(head, "sec-websocket-key")
        lines = ("HTTP/1.1 101 Switching Protocols", "Upgrade: WebSocket", "Connection: keep-alive, Upgrade")
        lines += (f"Sec-WebSocket-Accept: {accept_of(key)}", *fields, "", "")
        connection.sendall("\r\n".join(lines).encode() + MESSAGE_AND_CLOSE)

    return step


@pytest.mark.parametrize("chosen", [("Sec-WebSocket-Protocol: mqtt",), ()], ids=["one", "none"])
@pytest.mark.parametrize("name", ["Sec-WebSocket-Protocol", "sec-websocket-protocol"])
def test_a_subprotocol_that_the_scenario_offers_may_be_chosen(name, chosen, stream, server):
    record = stream([opens(*chosen)], protocol="websocket", headers={name: "graphql-transport-ws, mqtt"})
    assert (record.outcome, record.chunks) == (Outcome.COMPLETED, 1), record.reason
    assert field_of(server.requests[0], "sec-websocket-protocol") == ["graphql-transport-ws, mqtt"]


def test_a_subprotocol_that_it_does_not_offer_may_not(stream):
    script = [opens("Sec-WebSocket-Protocol: chat")]
    record = stream(script, protocol="websocket", headers={"Sec-WebSocket-Protocol": "mqtt"})
    assert record.outcome is Outcome.PROTOCOL_ERROR
    assert "'mqtt'" in record.reason


def test_handshake_fields_that_were_copied_from_a_browser_are_ours_once(stream, server):
    copied = {"upgrade": "websocket", "connection": "Upgrade", "sec-websocket-key": "x", "SEC-WEBSOCKET-VERSION": "13"}
    record = stream([opens()], protocol="websocket", headers={**copied, "sec-websocket-extensions": "x-rot13"})
    assert record.outcome is Outcome.COMPLETED, record.reason
    names = Counter(line.partition(b":")[0].lower() for line in server.requests[0].split(b"\r\n"))
    assert [name for name, count in names.items() if name and count > 1] == []
    assert b"x-rot13" not in server.requests[0]


def in_turn(plans, network=None):
    """The records of one user's streams, one after the other."""
    session, reactor, records = Session(network), SelectorReactor(), []
    for each in plans:
        paused: list[bool] = []
        exchange = Exchange(each, ProcessContext(ProcessStats(), reactor), lambda: paused.append(True))  # noqa: B023

        def wait() -> None:
            reactor.run_until(lambda: bool(paused))  # noqa: B023
            paused.clear()  # noqa: B023

        session.run(exchange, wait)
        records.append(exchange.record)
    session.close()
    reactor.close()
    return records


def test_a_kept_connection_to_a_proxy_is_no_tunnel(plan, server):
    """A proxy that relays requests is asked for a tunnel before a WebSocket goes to the same origin."""
    origin, refusal = "127.0.0.1:9", b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"
    events = plan([WHOLE], f"http://{origin}/events", url=f"http://{origin}/events")
    asked = plan([refusal], origin, url=f"ws://{origin}/ws", protocol="websocket")
    records = in_turn([events, asked, events], Network(proxy=server.url().rstrip("/")))
    assert [each.outcome for each in records] == [Outcome.COMPLETED, Outcome.CONNECT_ERROR, Outcome.COMPLETED]
    lines = [head.split(b"\r\n")[0].decode() for head in server.requests]
    relayed = f"GET http://{origin}/events HTTP/1.1"
    assert lines == [relayed, f"CONNECT {origin} HTTP/1.1", relayed]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_upgrade_on_a_connection_that_is_just_being_closed_is_made_again(method, plan, server):
    plans = [plan([WHOLE], "/first"), plan([opens()], "/ws", protocol="websocket", method=method, body=b"hello")]
    server.on_connection[1] = {"/ws": ["fin"]}
    records = in_turn(plans)
    assert ([each.outcome for each in records], server.connections) == ([Outcome.COMPLETED] * 2, 2)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_first_message_goes_along_where_a_websocket_has_moved(method, stream, server, until):
    heard = []

    def hears(connection, head):
        opens()(connection, head)
        heard.append(connection.recv(100))

    server.scripts["/there"] = [hears]
    moved = b"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n"
    record = stream([moved], protocol="websocket", method=method, body=b"hello")
    assert record.outcome is Outcome.COMPLETED, record.reason
    until(lambda: heard)
    assert heard[0][:2] == b"\x81\x85"  # a masked text of five bytes
