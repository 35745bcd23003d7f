"""Under TLS a read can end inside a record: its stamp is then not that of the chunk before."""

import socket
import ssl
import threading
from contextlib import suppress

import pytest
import trustme

from streamgauge.client.blocking import run_streams
from streamgauge.client.connect.routing import Network
from streamgauge.client.connect.target import target_of
from streamgauge.client.connect.tls import TlsSettings
from streamgauge.client.connect.transport import RecordEnds
from streamgauge.client.http.request import Request
from streamgauge.client.plan import StreamPlan
from streamgauge.stats.process_stats import ProcessStats
from streamgauge.wire.sse import SSE

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 27\r\n\r\n"
EVENT = b"data: 1\n\n"
RECORDS = [b"\x17\x03\x03\x00\x02ab", b"\x17\x03\x03\x00\x00", b"\x16\x03\x03\x01\x01" + bytes(257)]


class Peer:
    """The server's end of one connection under TLS, which sends records in pieces of its choice."""

    def __init__(self, connection: socket.socket, context: ssl.SSLContext) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection = connection
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._until(self._tls.do_handshake)

    def _until(self, step):
        while True:
            try:
                found = step()
            except ssl.SSLWantReadError:
                self._connection.sendall(self._outgoing.read())
                self._incoming.write(self._connection.recv(65_536))
            else:
                self._connection.sendall(self._outgoing.read())
                return found

    def hear(self) -> bytes:
        return self._until(lambda: self._tls.read(65_536))

    def record(self, data: bytes) -> bytes:
        self._tls.write(data)
        return self._outgoing.read()

    def send(self, ciphertext: bytes) -> None:
        self._connection.sendall(ciphertext)


@pytest.fixture
def stats_of(tmp_path):
    """The statistics of one stream: its second event comes with the first ``more`` bytes of the third's record."""
    ca, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    ca.issue_cert("localhost").configure_cert(context)

    def play(more: int):
        seen, sent, events = threading.Semaphore(0), threading.Event(), []

        def serve() -> None:
            with listener, suppress(OSError):
                connection = listener.accept()[0]
                peer = Peer(connection, context)
                peer.hear()
                peer.send(peer.record(HEAD + EVENT))
                seen.acquire(timeout=60)
                peer.send(peer.record(EVENT))
                third = peer.record(EVENT)
                peer.send(third[:more])
                sent.set()
                seen.acquire(timeout=60)
                peer.send(third[more:])
                connection.recv(65_536)
                connection.close()

        def on_chunk(_event: object) -> None:
            events.append(1)
            seen.release()
            if len(events) == 1:
                sent.wait(60)

        listener = socket.create_server(("127.0.0.1", 0))
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url, process_stats = f"https://localhost:{listener.getsockname()[1]}/", ProcessStats()
        plan = StreamPlan("a", Request("GET", target_of(url), {}), SSE, on_chunk=on_chunk)
        (record,) = run_streams([plan], process_stats, Network(tls=TlsSettings(str(tmp_path / "ca.pem"))))
        thread.join(60)
        assert (record.outcome, record.chunks) == ("completed", 3)
        return process_stats.stats("a", "sse")

    return play


@pytest.mark.parametrize("more", [1, 5, 20])
def test_a_chunk_behind_which_another_record_began_did_not_come_at_the_stamp(stats_of, more):
    assert stats_of(more).coalesced == 1


def test_a_chunk_that_is_the_last_record_of_its_read_came_at_the_stamp(stats_of):
    assert stats_of(0).coalesced == 0


@pytest.mark.parametrize("step", [1, 2, 3, 7, 64, 1000])
def test_ends_of_records_are_known_however_they_come(step):
    data, ends, found = b"".join(RECORDS), RecordEnds(), set()
    for at in range(0, len(data), step):
        ends.feed(data[at : at + step])
        if not ends.beyond:
            found.add(min(at + step, len(data)))
    assert found == {at for at in (7, 12, 274) if at % step == 0 or at == len(data)}
