"""What the kernel says of a connection."""

import select
import socket
import time

from streamgauge.client.connect.stamped_socket import open_socket, round_trip_ns


def test_the_round_trip_is_no_longer_than_connecting_took():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        before_ns = time.monotonic_ns()
        sock = open_socket((socket.AF_INET, listener.getsockname()))
        select.select([], [sock], [], 10)
        took_ns = time.monotonic_ns() - before_ns
        assert 0 < round_trip_ns(sock) <= took_ns
        sock.close()


def test_a_unix_socket_has_no_round_trip(tmp_path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "sock"))
        listener.listen()
        sock = open_socket((socket.AF_UNIX, str(tmp_path / "sock")))
        assert round_trip_ns(sock) == 0
        sock.close()
