"""Ways to an origin: redirects, cookies, proxies, TLS, and Unix sockets."""

import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import trustme

from streamgauge.client.blocking import run_streams
from streamgauge.client.connect.routing import Network
from streamgauge.client.connect.target import TargetError, target_of
from streamgauge.client.connect.tls import TlsError, TlsSettings
from streamgauge.client.http.request import Request
from streamgauge.client.plan import StreamPlan
from streamgauge.stats.outcome import Outcome
from streamgauge.wire.sse import SSE
from streamgauge.wire.websocket import WEBSOCKET

EVENTS = b"data: 1\n\ndata: 2\n\n"
RESPONSE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
    % len(EVENTS)
    + EVENTS
)


class OneShotServer:
    """Answers each connection's first request with ``reply``, under TLS where it has a context."""

    def __init__(self, listener: socket.socket, reply: bytes, context: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.subjects: list[str] = []
        self.listener = listener
        self._reply, self._context = reply, context
        #: Whether TLS is closed before TCP is.
        self.says_goodbye = True
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            if self._context is None:
                self._reply_on(connection)
                return
            with self._context.wrap_socket(connection, server_side=True) as secured:
                if shown := secured.getpeercert():
                    self.subjects.append(str(shown["subject"]))
                self._reply_on(secured)
                if self.says_goodbye:
                    secured.unwrap()

    def _reply_on(self, connection: socket.socket) -> None:
        self.requests.append(head_from(connection))
        connection.sendall(self._reply)


class TunnelProxy(OneShotServer):
    """Opens tunnels to where CONNECT asks, or refuses with ``reply``."""

    def _answer(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            self.requests.append(head_from(connection))
            connection.sendall(self._reply)
            host, _, port = self.requests[-1].split()[1].decode().rpartition(":")
            with socket.create_connection((host, int(port))) as there:
                back = threading.Thread(target=pump, args=(there, connection), daemon=True)
                back.start()
                pump(connection, there)
                back.join(5)


def pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


def head_from(connection: socket.socket) -> bytes:
    """A request's head, or a first byte that begins none, such as that of a TLS handshake."""
    head = b""
    while not head.endswith((b"\r\n\r\n", b"\x16")) and (byte := connection.recv(1)):
        head += byte
    return head


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return str(tmp_path / "ca.pem")


@pytest.fixture
def server_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture
def tls_server(server_context: ssl.SSLContext) -> Iterator[OneShotServer]:
    server = OneShotServer(socket.create_server(("127.0.0.1", 0)), RESPONSE, server_context)
    yield server
    server.listener.close()


def ask(url: str, network: Network | None = None):
    plan = StreamPlan("stream", Request("GET", target_of(url), {}), SSE)
    return run_streams([plan], network=network)[0]


def test_https_is_decrypted_and_counted(tls_server: OneShotServer, ca_file: str) -> None:
    record = ask(f"https://localhost:{tls_server.port}/", Network(tls=TlsSettings(ca_file=ca_file)))
    assert (record.outcome, record.chunks, record.bytes) == (Outcome.COMPLETED, 2, len(EVENTS))


def test_a_slow_reader_reads_tls_at_its_rate(server_context: ssl.SSLContext, ca_file: str) -> None:
    body = EVENTS * 1000
    reply = RESPONSE.partition(b"Content-Length")[0] + b"Connection: close\r\n\r\n" + body
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = OneShotServer(listener, reply, server_context)
        request = Request("GET", target_of(f"https://localhost:{server.port}/"), {})
        plan = StreamPlan("stream", request, SSE, read_rate=50_000)
        (record,) = run_streams([plan], network=Network(tls=TlsSettings(ca_file=ca_file)))
    assert (record.outcome, record.chunks, record.slowed) == (Outcome.COMPLETED, 2000, 1), record.reason
    assert record.duration_s >= len(body) / 50_000 - 0.05


def test_an_unknown_authority_is_a_connect_error_that_says_so(tls_server: OneShotServer) -> None:
    record = ask(f"https://localhost:{tls_server.port}/")
    assert record.outcome is Outcome.CONNECT_ERROR
    assert "certificate refused" in record.reason


def test_a_certificate_for_another_host_is_refused(tls_server: OneShotServer, ca_file: str) -> None:
    record = ask(f"https://127.0.0.1:{tls_server.port}/", Network(tls=TlsSettings(ca_file=ca_file)))
    assert record.outcome is Outcome.CONNECT_ERROR


def test_insecure_accepts_any_certificate(tls_server: OneShotServer) -> None:
    record = ask(f"https://127.0.0.1:{tls_server.port}/", Network(tls=TlsSettings(insecure=True)))
    assert record.outcome is Outcome.COMPLETED


def test_a_server_without_tls_is_a_connect_error(tls_server: OneShotServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        plain = OneShotServer(listener, b"HTTP/1.1 400 Bad Request\r\n\r\n")
        assert ask(f"https://localhost:{plain.port}/").outcome is Outcome.CONNECT_ERROR


def test_mutual_tls_shows_the_client_certificate(
    server_context: ssl.SSLContext, authority: trustme.CA, ca_file: str, tmp_path: Path
) -> None:
    authority.configure_trust(server_context)
    server_context.verify_mode = ssl.CERT_REQUIRED
    issued = authority.issue_cert(common_name="a load test", organization_name="us")
    issued.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "client.pem"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = OneShotServer(listener, RESPONSE, server_context)
        url = f"https://localhost:{server.port}/"
        shown = ask(url, Network(tls=TlsSettings(ca_file, client_cert=str(tmp_path / "client.pem"))))
        withheld = ask(url, Network(tls=TlsSettings(ca_file)))
    assert shown.outcome is Outcome.COMPLETED
    assert "a load test" in server.subjects[0]
    assert withheld.failed


@pytest.mark.parametrize("says_goodbye", [True, False])
def test_a_tls_connection_that_ends_inside_the_body_is_truncated(
    server_context: ssl.SSLContext, ca_file: str, says_goodbye: bool
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = OneShotServer(listener, RESPONSE[:-5], server_context)
        server.says_goodbye = says_goodbye
        record = ask(f"https://localhost:{server.port}/", Network(tls=TlsSettings(ca_file)))
    assert (record.outcome, record.chunks) == (Outcome.TRUNCATED, 1)


def test_a_file_without_certificates_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing\n")
    with pytest.raises(TlsError, match=r"empty\.pem"):
        Network(tls=TlsSettings(ca_file=str(tmp_path / "empty.pem")))
    with pytest.raises(TlsError, match="needs a client certificate"):
        Network(tls=TlsSettings(client_key=str(tmp_path / "empty.pem")))


def test_a_proxy_is_asked_by_the_whole_url() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = OneShotServer(listener, RESPONSE)
        record = ask("http://example.test/a?b=c", Network(proxy=f"http://me:secret@127.0.0.1:{proxy.port}"))
    assert record.outcome is Outcome.COMPLETED
    assert proxy.requests[0].startswith(b"GET http://example.test/a?b=c HTTP/1.1\r\nHost: example.test\r\n")
    assert b"Proxy-Authorization: Basic bWU6c2VjcmV0\r\n" in proxy.requests[0]


def test_https_goes_through_a_tunnel(tls_server: OneShotServer, ca_file: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = TunnelProxy(listener, b"HTTP/1.1 200 Connection established\r\n\r\n")
        network = Network(proxy=f"http://127.0.0.1:{proxy.port}", tls=TlsSettings(ca_file))
        record = ask(f"https://localhost:{tls_server.port}/x", network)
    assert (record.outcome, record.chunks) == (Outcome.COMPLETED, 2)
    assert proxy.requests[0].startswith(b"CONNECT localhost:%d HTTP/1.1\r\n" % tls_server.port)
    assert tls_server.requests[0].startswith(b"GET /x HTTP/1.1\r\n")


def test_a_refused_tunnel_is_a_connect_error_with_the_proxys_status() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = OneShotServer(listener, b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
        record = ask("https://localhost:1/", Network(proxy=f"http://127.0.0.1:{proxy.port}"))
    assert (record.outcome, record.reason) == (
        Outcome.CONNECT_ERROR,
        "the proxy answered 407 Proxy Authentication Required",
    )


@pytest.mark.parametrize("scheme", ["socks5", "https", "ws", "http+unix"])
def test_a_proxy_of_another_scheme_is_refused(scheme: str) -> None:
    """Also where the scheme is one of those that streams have."""
    url = f"{scheme}://%2Frun%2Fproxy.sock" if scheme == "http+unix" else f"{scheme}://127.0.0.1:1080"
    with pytest.raises(TargetError, match=re.escape(repr(url))):
        Network(proxy=url)


def test_the_scheme_of_a_proxy_is_read_in_any_case() -> None:
    assert Network(proxy="HTTP://127.0.0.1:1080").proxy == "HTTP://127.0.0.1:1080"


def test_a_unix_socket_is_streamed_from(tmp_path: Path) -> None:
    path = tmp_path / "app.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        server = OneShotServer(listener, RESPONSE)
        record = ask("http+unix://" + str(path).replace("/", "%2F") + "/a")
    assert (record.outcome, record.chunks) == (Outcome.COMPLETED, 2)
    assert server.requests[0].startswith(b"GET /a HTTP/1.1\r\nHost: localhost\r\n")


def redirect(status: int, location: str) -> bytes:
    return b"HTTP/1.1 %d Elsewhere\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % (status, location.encode())


def test_a_redirect_is_followed_and_timed_as_one_stream(server, plan) -> None:
    server.scripts["/there"] = (RESPONSE,)
    record = run_streams([plan((redirect(302, "/there"),))])[0]
    assert (record.outcome, record.chunks, record.status) == (Outcome.COMPLETED, 2, 200)


@pytest.mark.parametrize(("status", "method"), [(301, b"GET"), (303, b"GET"), (307, b"POST"), (308, b"POST")])
def test_a_redirected_post_keeps_its_method_only_where_the_status_says_so(server, plan, status, method) -> None:
    server.scripts["/there"] = (RESPONSE,)
    run_streams([plan((redirect(status, "/there"),), method="POST", headers={"Content-Type": "text/plain"})])
    assert server.requests[1].startswith(method + b" /there")
    assert (b"Content-Type" in server.requests[1]) == (method == b"POST")


def test_another_origin_does_not_see_credentials(server, plan) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        other = OneShotServer(listener, RESPONSE)
        there = redirect(302, f"http://127.0.0.1:{other.port}/")
        run_streams([plan((there,), headers={"Authorization": "Bearer x", "X-Kept": "y"})])
    assert b"Bearer" in server.requests[0]
    assert b"Bearer" not in other.requests[0]
    assert b"X-Kept: y" in other.requests[0]


def test_redirects_in_a_circle_end_as_http_error(server, plan) -> None:
    record = run_streams([plan((redirect(302, "/"),), max_redirects=3)])[0]
    assert (record.outcome, len(server.requests)) == (Outcome.HTTP_ERROR, 4)
    assert "302" in record.reason


def test_a_redirect_to_nowhere_is_a_protocol_error(plan) -> None:
    assert run_streams([plan((redirect(302, "ftp://elsewhere/"),))])[0].outcome is Outcome.PROTOCOL_ERROR


def test_cookies_set_on_the_way_are_sent_along(server, plan) -> None:
    login = redirect(302, "/in").replace(
        b"Content-Length", b"Set-Cookie: a=1; Path=/\r\nSet-Cookie: b=2; Path=/in\r\nContent-Length"
    )
    server.scripts["/in"] = (RESPONSE,)
    run_streams([plan((login,))])
    cookies = next(line for line in server.requests[1].split(b"\r\n") if line.startswith(b"Cookie: "))
    assert set(cookies.removeprefix(b"Cookie: ").split(b"; ")) == {b"a=1", b"b=2"}


def test_user_and_password_of_the_url_are_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = OneShotServer(listener, RESPONSE)
        ask(f"http://me:p%40ss@127.0.0.1:{server.port}/")
    assert b"Authorization: Basic bWU6cEBzcw==\r\n" in server.requests[0]


def test_a_websocket_goes_through_a_tunnel() -> None:
    with socket.create_server(("127.0.0.1", 0)) as there, socket.create_server(("127.0.0.1", 0)) as listener:
        server = OneShotServer(there, b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        proxy = TunnelProxy(listener, b"HTTP/1.1 200 Connection established\r\n\r\n")
        asked = b"CONNECT 127.0.0.1:%d " % server.port
        request = Request("GET", target_of(f"ws://127.0.0.1:{server.port}/ws"), {})
        network = Network(proxy=f"http://127.0.0.1:{proxy.port}")
        record = run_streams([StreamPlan("stream", request, WEBSOCKET)], network=network)[0]
    assert (record.outcome, record.status) == (Outcome.HTTP_ERROR, 403)
    assert proxy.requests[0].startswith(asked)
    assert server.requests[0].startswith(b"GET /ws HTTP/1.1\r\n")
