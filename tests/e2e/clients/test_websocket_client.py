"""websocket-client against the sample app."""

import json
import socket
from urllib.parse import urlsplit

import pytest

websocket = pytest.importorskip("websocket", reason="needs websocket-client")
CHUNKS = 8
PATH = f"/stream/ws?chunks={CHUNKS}&interval_ms=5"


def messages_of(address, **options):
    """All messages of a stream, and the code that it is closed with."""
    parts, found = urlsplit(address), []
    with socket.create_connection((parts.hostname, parts.port), timeout=60) as connection:
        client = websocket.create_connection(f"ws://{parts.netloc}{PATH}", socket=connection, **options)
        while (received := client.recv_data())[0] == websocket.ABNF.OPCODE_TEXT:
            found.append(json.loads(received[1]))
        client.close()
    return found, int.from_bytes(received[1][:2], "big")


def test_it_gets_every_message_and_the_closing_code(url):
    messages, code = messages_of(url)
    assert [each.get("seq") for each in messages] == [*range(CHUNKS), None]
    assert (messages[-1], code) == ({"type": "done", "chunks": CHUNKS}, 1000)


def test_it_shows_a_key_and_is_told_why_it_is_refused(guarded_url, key):
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        messages_of(guarded_url)
    assert refused.value.status_code == 401
    assert len(messages_of(guarded_url, header={"X-API-Key": key})[0]) == CHUNKS + 1
