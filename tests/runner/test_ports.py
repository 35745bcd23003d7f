"""Ports that are usual, asked for, busy or free."""

import os
import socket

import pytest

from streamgauge.runner.ports import PortChooser, PortError


def test_the_usual_port_is_taken_where_it_is_free(free):
    port = PortChooser().choose("app", free)
    assert (port.number, port.notice) == (free, "")


def test_a_busy_usual_port_gives_way_to_a_free_one_and_its_holder_is_named(busy):
    port = PortChooser().choose("app", busy)
    assert port.number != busy
    assert port.notice.startswith(f"port {busy} (app) is busy")
    assert f"pid {os.getpid()})" in port.notice
    assert port.notice.endswith(f"; using {port.number}")


def test_a_busy_port_that_was_asked_for_is_an_error(busy):
    with pytest.raises(PortError, match=rf"--app-port {busy}: the port is busy"):
        PortChooser().choose("app", 1, "--app-port", busy)


def test_two_options_with_one_port_are_an_error(free):
    chooser = PortChooser()
    chooser.choose("app", 1, "--app-port", free)
    with pytest.raises(PortError, match=rf"--metrics-port {free}: the port is already used for --app-port"):
        chooser.choose("metrics", 2, "--metrics-port", free)


def test_a_port_held_on_all_addresses_is_busy():
    with socket.create_server(("", 0)) as listener:
        number = listener.getsockname()[1]
        assert PortChooser().choose("app", number).number != number
