"""What a server speaks instead of HTTP/1.1 is said, with the remedy."""

import pytest

from streamgauge.stats.outcome import Outcome
from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.foreign_protocols import spoken
from streamgauge.wire.http1_head import HeadParser

SETTINGS = b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64"
BEGINNINGS = {
    "a TLS alert": (b"\x15\x03\x03\x00\x02\x02\x46", "TLS, so use https://"),
    "HTTP/2 settings": (SETTINGS, "HTTP/2 without TLS"),
    "HTTP/2 in words": (b"HTTP/2 200\r\n\r\n", "another version of HTTP"),
    "SSH": (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH"),
    "mail": (b"220 mail.example ESMTP\r\n", "SMTP or FTP"),
    "radio": (b"ICY 200 OK\r\n\r\n", "SHOUTcast"),
    "HTML": (b"<!DOCTYPE html>", "HTML or XML without a head"),
    "events": (b"data: 1\n\n", "an event stream without a head"),
}


@pytest.mark.parametrize(("data", "words"), BEGINNINGS.values(), ids=BEGINNINGS)
def test_the_first_bytes_show_what_is_spoken(data, words, stream):
    with pytest.raises(ProtocolError, match="expected a status line") as refused:
        HeadParser().feed(data)
    assert f": this is {words}" in str(refused.value)
    record = stream([data, "read", "fin"])
    assert (record.outcome, words in record.reason) == (Outcome.PROTOCOL_ERROR, True)


@pytest.mark.parametrize("data", [b"", b"\x15\x01", b"\x00" * 9, b"hello"])
def test_of_other_bytes_nothing_is_said(data):
    assert spoken(data) == ""


def test_a_server_without_tls_is_told_from_one_with_another_tls(stream, server):
    server.scripts["/"] = []
    answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
    server._request = lambda connection: connection.recv(4096) and b"GET / HTTP/1.1"
    record = stream([answer, "fin"], url=server.url("/").replace("http:", "https:"))
    assert record.outcome is Outcome.CONNECT_ERROR
    assert "the server answered without TLS, b'HTTP/1.1 400" in record.reason
    assert "use http://" in record.reason
