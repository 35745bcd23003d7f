"""Recognise what a server speaks instead of HTTP/1.1, by its first bytes."""

#: TLS records: alert, handshake; before them the rarer change of cipher, after them data (RFC 8446 section 5.1).
_TLS_TYPES = frozenset({0x14, 0x15, 0x16, 0x17})
_SETTINGS, _GOAWAY = 4, 7
_BY_BEGINNING = {
    b"HTTP/2": "another version of HTTP, and streamgauge speaks HTTP/1.1",
    b"HTTP/3": "another version of HTTP, and streamgauge speaks HTTP/1.1",
    b"SSH-": "SSH",
    b"220 ": "SMTP or FTP",
    b"220-": "SMTP or FTP",
    b"ICY ": "SHOUTcast",
    b"RTSP/": "RTSP",
    b"-ERR": "Redis or POP3",
    b"+OK": "Redis or POP3",
    b"<": "HTML or XML without a head",
    b"{": "JSON without a head",
    b"data:": "an event stream without a head",
    b"event:": "an event stream without a head",
}


def is_tls(data: bytes) -> bool:
    """Whether ``data`` begins as a TLS record does."""
    return data[:1] != b"" and data[0] in _TLS_TYPES and data[1:2] in (b"", b"\x03")


def spoken(data: bytes) -> str:
    """Return what the server speaks that sent ``data`` first, with the remedy if there is one; empty if unknown."""
    if is_tls(data):
        return "TLS, so use https:// or wss://"
    if len(data) >= 9 and data[3] in (_SETTINGS, _GOAWAY) and data[5:9] == bytes(4):  # RFC 9113 section 4.1
        return "HTTP/2 without TLS, and streamgauge speaks HTTP/1.1"
    lower = data[:16].lower()
    return next((name for beginning, name in _BY_BEGINNING.items() if lower.startswith(beginning.lower())), "")
