"""How a WebSocket is asked for where the scenario has handshake fields of its own."""

from collections import Counter

import pytest

from streamgauge.measure.outcome import Outcome
from streamgauge.wire.handshake import accept_of

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
