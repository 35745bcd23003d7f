"""What came in one segment came at one time, however many chunks it has: the kernel counts the segments."""

import socket
import time

import pytest

from streamgauge.client.connect.stamped_socket import HAS_KERNEL_STAMPS, open_socket
from streamgauge.client.connect.transport import PlainTransport

pytestmark = pytest.mark.skipif(not HAS_KERNEL_STAMPS, reason="the kernel's count of segments is Linux's")


@pytest.fixture
def ends():
    """A transport, and the server's end of its connection, which sends each write as a segment of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        transport = PlainTransport(open_socket((socket.AF_INET, listener.getsockname())))
        served, _ = listener.accept()
        served.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with served:
            yield transport, served
        transport.close()


def read_of(transport, served, *writes):
    """Send ``writes``; read them together."""
    for data in writes:
        served.sendall(data)
        time.sleep(0.01)
    data, _ = transport.read()
    assert data == b"".join(writes)


@pytest.mark.parametrize(("writes", "at_once"), [((b"ab",), True), ((b"a", b"b"), False)])
def test_one_segment_is_told_from_two(ends, writes, at_once):
    transport, served = ends
    for _ in range(3):  # responses on one connection
        transport.expect()
        read_of(transport, served, *writes)
        assert transport.came_at_once() is at_once


def test_a_segment_that_was_read_before_is_one_more(ends):
    transport, served = ends
    transport.expect()
    read_of(transport, served, b"head")
    read_of(transport, served, b"body")
    assert not transport.came_at_once()


def test_without_an_expectation_nothing_is_known(ends):
    transport, served = ends
    read_of(transport, served, b"a")
    assert not transport.came_at_once()
