"""Reads from and writes to a connected socket, plain or under TLS, with the kernel's stamp of each read.

Under TLS the stamp of a read is that of the segment that completed its last record: decryption does not change it.
``beyond`` says whether the read ended inside a further record, which no decrypted byte shows.
"""

import ssl
from functools import partial
from typing import Any, Protocol

from streamgauge.client.connect.read_limit import ReadLimit
from streamgauge.client.connect.stamped_socket import ANCILLARY_BYTES, READ_BYTES, Socket, segments_of, stamp_ns
from streamgauge.client.reactor import Callback, Reactor, Reading

_RECORD_BYTES = 65_536
_HEADER_BYTES = 5


class Transport(Protocol):
    """A connection. Nothing blocks; it holds data that cannot be sent yet."""

    sock: Socket
    end: str | None
    """Why nothing follows the last read: empty if the peer closed cleanly; None while the connection goes on."""

    @property
    def beyond(self) -> bool:
        """Whether the last read also brought the beginning of data that it did not return; the stamp is that data's."""

    def watch(self, reactor: Reactor, callback: Callback) -> Reading:
        """Call ``callback`` when there is something to read, until the connection is at rest or closed."""

    def unwatch(self) -> None:
        """Call nothing any more."""

    def collect(self, reactor: Reactor, item: object) -> None:
        """Collect ``item`` in each pass in which there is something to read, as ``Reading.collect`` does."""

    def rest(self) -> None:
        """Leave the connection idle. It is closed as soon as there is anything to read, which nobody has asked for."""

    def expect(self) -> None:
        """Note that all that has come is read, and that a response comes next."""

    def came_at_once(self) -> bool:
        """Whether all that was read since :meth:`expect` is known to have come in one segment, and so at one time."""

    def read(self) -> tuple[bytes | None, int | None]:
        """Read what has arrived; return it with its stamp (wall clock, ns). ``b""`` is a clean end, None no data.

        Raises OSError.
        """

    def write(self, data: bytes) -> None:
        """Add ``data`` to what ``flush`` sends."""

    def flush(self) -> bool:
        """Send as much as the kernel takes; return whether all is sent. Raises OSError."""

    def limit_reads(self, limit: ReadLimit | None) -> None:
        """Read within ``limit`` from now on; None for as much as there is."""

    def close(self) -> None:
        """Close the socket."""


class PlainTransport:
    """TCP or a Unix socket, without TLS."""

    __slots__ = ("_reading", "_recvmsg", "_segments", "_unsent", "sock")
    end: str | None = None  # a plain end is a read of its own
    beyond = False

    def __init__(self, sock: Socket) -> None:
        self.sock = sock
        self._recvmsg: Any = sock.recvmsg
        self._unsent = b""
        #: The segments that are known to be read; None if that is not known.
        self._segments: int | None = None
        #: Watches the socket from the first :meth:`watch` until it is closed: to begin and to end takes system calls.
        self._reading: Reading | None = None

    def watch(self, reactor: Reactor, callback: Callback) -> Reading:
        """See ``Transport``."""
        if self._reading is None:
            self._reading = reactor.on_readable(self.sock.fileno(), callback)
        else:
            self._reading.call(callback)
        return self._reading

    def collect(self, reactor: Reactor, item: object) -> None:
        """See ``Transport``."""
        (self._reading or self.watch(reactor, self.close)).collect(item)

    def unwatch(self) -> None:
        """See ``Transport``."""
        if self._reading is not None:
            self._reading.stop()
            self._reading = None

    def rest(self) -> None:
        """See ``Transport``."""
        if self._reading is not None:
            self._reading.may_wait(0.0)
            self._reading.call(self.close)

    def expect(self) -> None:
        """See ``Transport``."""
        if self._segments is None:
            self._segments = segments_of(self.sock)

    def came_at_once(self) -> bool:
        """See ``Transport``. One that came after the read counts too, and only hides that the others were one."""
        before, now = self._segments, segments_of(self.sock)
        at_once = before is not None and now == before + 1
        self._segments = now
        return at_once

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

    def limit_reads(self, limit: ReadLimit | None) -> None:
        """See ``Transport``."""
        self._recvmsg = self.sock.recvmsg if limit is None else partial(limit.recvmsg, self.sock)

    def close(self) -> None:
        """See ``Transport``."""
        self.unwatch()
        self.sock.close()


class RecordEnds:
    """Follows where TLS records end (RFC 8446 section 5.1: a header of 5 bytes, the last two the length)."""

    __slots__ = ("_header", "_missing")

    def __init__(self) -> None:
        self._header = b""
        #: Bytes that are missing of the record whose header has come.
        self._missing = 0

    @property
    def beyond(self) -> bool:
        """Whether part of a record has come, but not all of it."""
        return bool(self._header or self._missing)

    def feed(self, data: bytes) -> None:
        """Follow the records through more data."""
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
    """TLS over a plain transport, through memory BIOs, so that reading stays our own ``recvmsg``."""

    __slots__ = ("_incoming", "_outgoing", "_plain", "_records", "_tls", "end", "first", "handshaken", "sock")

    def __init__(self, plain: PlainTransport, context: ssl.SSLContext, host: str) -> None:
        self._plain = plain
        self.sock = plain.sock
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._records = RecordEnds()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self.handshaken = False
        #: The peer's first bytes, if it has answered.
        self.first = b""
        self.end: str | None = None
        self._continue_handshake()

    def watch(self, reactor: Reactor, callback: Callback) -> Reading:
        """See ``Transport``."""
        return self._plain.watch(reactor, callback)

    def collect(self, reactor: Reactor, item: object) -> None:
        """See ``Transport``."""
        self._plain.collect(reactor, item)

    def unwatch(self) -> None:
        """See ``Transport``."""
        self._plain.unwatch()

    def rest(self) -> None:
        """See ``Transport``. TLS's own messages close it too: the next stream makes a connection."""
        self._plain.rest()

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
        """Read what has arrived, continue the handshake if it is not done, and return the stamp.

        Raises OSError.
        """
        data, stamp = self._plain.read()
        if data:
            self.first = self.first or data[:40]
            self._records.feed(data)
            self._incoming.write(data)
        else:
            self._incoming.write_eof()
        if not self.handshaken:
            self._continue_handshake()
        return stamp

    def expect(self) -> None:
        """See ``Transport``."""

    def came_at_once(self) -> bool:
        """See ``Transport``. A segment may hold part of a record."""
        return False

    def _continue_handshake(self) -> None:
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
            self.end = describe_tls(error)
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

    def limit_reads(self, limit: ReadLimit | None) -> None:
        """See ``Transport``; the limit is of TLS's own bytes."""
        self._plain.limit_reads(limit)

    def close(self) -> None:
        """See ``Transport``."""
        self._plain.close()


def describe_tls(error: ssl.SSLError) -> str:
    """Return what went wrong under TLS, as part of a sentence."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate refused: {error.verify_message}"
    return (error.reason or str(error)).replace("_", " ").lower()
