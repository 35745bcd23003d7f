"""The opening handshake of a WebSocket, the client's side."""

import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection
from wsproto.extensions import PerMessageDeflate

from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.http1_head import Head, HeadParser
from streamgauge.wire.websocket_handshake import Deflate, accept_of, check_accept, deflate_agreed, handshake_fields

KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455 section 1.3
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def head(status=101, **fields: str) -> Head:
    given_fields = {name.replace("_", "-"): value for name, value in fields.items()}
    agreed = {"upgrade": "WebSocket", "connection": "keep-alive, Upgrade", "sec-websocket-accept": ACCEPT}
    return Head(status, "Switching Protocols", 1, agreed | given_fields)


def test_the_standards_key_has_the_standards_answer():
    assert accept_of(KEY) == ACCEPT
    check_accept(KEY, head())


def test_every_key_is_fresh():
    key, fields = handshake_fields(["chat", "superchat"])
    assert len(base64.b64decode(key)) == 16
    assert fields == {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": key,
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": "chat, superchat",
        "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits",
    }
    assert handshake_fields()[0] != key
    assert set(handshake_fields(deflate=False)[1]) == set(fields) - {
        "Sec-WebSocket-Protocol",
        "Sec-WebSocket-Extensions",
    }


def test_what_was_asked_for_may_be_agreed_to():
    check_accept(KEY, head(sec_websocket_protocol="b"), ["a", "b"])
    check_accept(KEY, head(sec_websocket_extensions="permessage-deflate"))
    check_accept(KEY, head(sec_websocket_extensions=""), deflate=False)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (head(status=200), "status 101"),
        (head(upgrade="h2c"), "upgrade: websocket"),
        (head(connection="close"), "connection: upgrade"),
        (head(sec_websocket_accept=ACCEPT.lower()), "sec-websocket-accept"),
        (head(sec_websocket_accept=""), "sec-websocket-accept"),
        (head(sec_websocket_protocol="c"), "subprotocol"),
        (head(sec_websocket_protocol="a, b"), "subprotocol"),
        (head(sec_websocket_extensions="permessage-bzip2"), "extension"),
        (head(sec_websocket_extensions="permessage-deflate, permessage-deflate"), "extension"),
        (head(sec_websocket_extensions="permessage-deflate; server_max_window_bits"), "server_max_window_bits"),
    ],
)
def test_what_nobody_asked_for_is_refused(answer, message):
    with pytest.raises(ProtocolError, match=message):
        check_accept(KEY, answer, ["a", "b"])


def test_compression_that_was_not_offered_is_refused():
    with pytest.raises(ProtocolError, match="no WebSocket extension"):
        check_accept(KEY, head(sec_websocket_extensions="permessage-deflate"), deflate=False)


@pytest.mark.parametrize(
    ("extensions", "agreed"),
    [
        ("", None),
        (" ,", None),
        ("permessage-deflate", Deflate(15, keeps_context=True)),
        ("Permessage-Deflate ; server_max_window_bits=10", Deflate(10, keeps_context=True)),
        ('permessage-deflate; server_max_window_bits="8"', Deflate(8, keeps_context=True)),
        ("permessage-deflate; Server_No_Context_Takeover", Deflate(15, keeps_context=False)),
        ("permessage-deflate;client_no_context_takeover;client_max_window_bits = 9", Deflate(15, keeps_context=True)),
    ],
)
def test_what_was_agreed_to_is_read(extensions, agreed):
    assert deflate_agreed(extensions) == agreed


@pytest.mark.parametrize(
    "parameters",
    [
        "server_max_window_bits=16",
        "server_max_window_bits=07",
        "server_no_context_takeover=1",
        "x=1",
        "client_max_window_bits=",
        "server_max_window_bits=9; server_max_window_bits=9",
        "",
    ],
)
def test_bad_parameters_are_refused(parameters):
    with pytest.raises(ProtocolError, match="expected parameters of permessage-deflate"):
        deflate_agreed(f"permessage-deflate; {parameters}")


@given(st.text(max_size=80) | st.from_regex("permessage-deflate(; ?[a-z_]{1,9}(=[0-9]{1,2})?)*"))
def test_any_extensions_are_read_or_refused(extensions):
    with contextlib.suppress(ProtocolError):
        assert deflate_agreed(extensions) in (
            None,
            *(Deflate(bits, kept) for bits in range(8, 16) for kept in (False, True)),
        )


def test_another_implementation_accepts_the_handshake():
    key, fields = handshake_fields(["chat"])
    server = WSConnection(ConnectionType.SERVER)
    lines = [f"{name}: {value}" for name, value in {"Host": "h", **fields}.items()]
    server.receive_data("\r\n".join(["GET /chat HTTP/1.1", *lines, "", ""]).encode())
    (request,) = server.events()
    assert request.subprotocols == ["chat"]
    answer = server.send(AcceptConnection(subprotocol="chat", extensions=[PerMessageDeflate()]))
    response = HeadParser().feed(answer)
    check_accept(key, response, ["chat"])
    assert deflate_agreed(response.fields["sec-websocket-extensions"]) == Deflate()
