"""Bytes to and from a connected socket, with the kernel's stamp of what was read: plain, or under TLS.

Under TLS a read's stamp is that of the segment that completed its last record: decryption takes nothing from it. Where
the read ended inside a further record, which shows in no byte that was decrypted, ``beyond`` says so.
"""

import ssl
from typing import Protocol

from streamgauge.client.connect.stamped_socket import ANCILLARY_BYTES, READ_BYTES, Socket, stamp_ns

_RECORD_BYTES = 65_536
_HEADER_BYTES = 5


class Transport(Protocol):
    """A connection. Nothing blocks; what cannot be sent yet waits in it."""

    sock: Socket
    end: str | None
    """Why nothing comes behind what was read last: empty where the peer closed cleanly; None while it goes on."""

    @property
    def beyond(self) -> bool:
        """Whether the last read brought the beginning of more than it returned: its stamp is that one's."""

    def read(self) -> tuple[bytes | None, int | None]:
        """What has come, and its stamp (wall clock, ns): ``b""`` at a clean end, None where it holds no data.

        Raises OSError.
        """

    def write(self, data: bytes) -> None:
        """Take ``data`` to be sent by ``flush``."""

    def flush(self) -> bool:
        """Send what can be sent; whether all is sent. Raises OSError."""

    def close(self) -> None:
        """Close the socket."""


class PlainTransport:
    """TCP, or a Unix socket, as it is."""

    __slots__ = ("_recvmsg", "_unsent", "sock")
    end: str | None = None  # a plain end is a read of its own
    beyond = False

    def __init__(self, sock: Socket) -> None:
        self.sock = sock
        self._recvmsg = sock.recvmsg
        self._unsent = b""

    def read(self) -> tuple[bytes | None, int | None]:
        """See ``Transport``."""
        data, ancillary, _, _ = self._recvmsg(READ_BYTES, ANCILLARY_BYTES)
        return data, stamp_ns(ancillary)

    def write(self, data: bytes) -> None:
        """See ``Transport``."""
        self._unsent += data

    def flush(self) -> bool:
        """See ``Transport``."""
        if self._unsent:
            try:
                self._unsent = self._unsent[self.sock.send(self._unsent) :]
            except BlockingIOError:
                return False
        return not self._unsent

    def close(self) -> None:
        """See ``Transport``."""
        self.sock.close()


class RecordEnds:
    """Where TLS records end in what comes (RFC 8446 section 5.1: a header of 5 bytes, the last two the length)."""

    __slots__ = ("_header", "_missing")

    def __init__(self) -> None:
        self._header = b""
        #: Bytes of the record whose header has come.
        self._missing = 0

    @property
    def beyond(self) -> bool:
        """Whether some of a record has come, and not all."""
        return bool(self._header or self._missing)

    def feed(self, data: bytes) -> None:
        """Take note of what came."""
        at, end = 0, len(data)
        while at < end:
            if self._missing:
                taken = min(self._missing, end - at)
                self._missing -= taken
                at += taken
                continue
            header = self._header + data[at : at + _HEADER_BYTES - len(self._header)]
            at += len(header) - len(self._header)
            complete = len(header) == _HEADER_BYTES
            self._header = b"" if complete else header
            self._missing = int.from_bytes(header[3:]) if complete else 0


class TlsTransport:
    """TLS over a plain transport, by memory BIOs: reading stays a ``recvmsg`` of ours."""

    __slots__ = ("_incoming", "_outgoing", "_plain", "_records", "_tls", "end", "handshaken", "sock")

    def __init__(self, plain: PlainTransport, context: ssl.SSLContext, host: str) -> None:
        self._plain = plain
        self.sock = plain.sock
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._records = RecordEnds()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self.handshaken = False
        self.end: str | None = None
        self._shake_hands()

    def read(self) -> tuple[bytes | None, int | None]:
        """See ``Transport``. A close without TLS's own closing is an OSError."""
        stamp = self.receive()
        data = self._decrypted()
        if self._outgoing.pending:
            self.flush()
        return data, stamp

    @property
    def beyond(self) -> bool:
        """See ``Transport``."""
        return self._records.beyond

    def receive(self) -> int | None:
        """Take in what has come, go on with the handshake where it is not done, and return the stamp.

        Raises OSError.
        """
        data, stamp = self._plain.read()
        if data:
            self._records.feed(data)
            self._incoming.write(data)
        else:
            self._incoming.write_eof()
        if not self.handshaken:
            self._shake_hands()
        return stamp

    def _shake_hands(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return
        finally:
            self.flush()
        self.handshaken = True

    def _decrypted(self) -> bytes | None:
        pieces = []
        try:
            while piece := self._tls.read(_RECORD_BYTES):
                pieces.append(piece)
        except ssl.SSLWantReadError:
            return b"".join(pieces) or None
        except ssl.SSLError as error:
            if not pieces:
                raise
            self.end = tls_words(error)
        else:
            self.end = ""
        return b"".join(pieces)

    def write(self, data: bytes) -> None:
        """See ``Transport``."""
        view = memoryview(data)
        while view:
            view = view[self._tls.write(view) :]

    def flush(self) -> bool:
        """See ``Transport``."""
        if self._outgoing.pending:
            self._plain.write(self._outgoing.read())
        return self._plain.flush()

    def close(self) -> None:
        """See ``Transport``."""
        self._plain.close()


def tls_words(error: ssl.SSLError) -> str:
    """What went wrong under TLS, as a sentence has it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate refused: {error.verify_message}"
    return (error.reason or str(error)).replace("_", " ").lower()
