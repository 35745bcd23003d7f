"""Ports that are usual, asked for, busy or free."""

import os
import socket
from pathlib import Path

import pytest

from streamgauge.runner import ports
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


def test_another_port_is_none_that_an_outgoing_connection_gets(busy):
    numbers = {PortChooser().choose("app", busy).number for _ in range(20)}
    first, last = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    assert not any(first <= number <= last for number in numbers)
    assert len(numbers) > 1


def test_the_kernel_gives_a_port_where_no_other_is_free(busy, free, monkeypatch):
    monkeypatch.setattr(ports, "_OTHERS", [busy])
    monkeypatch.setattr(ports, "_TRIES", 1)
    assert PortChooser().choose("app", busy).number not in (busy, 0)
    monkeypatch.setattr(ports, "_OTHERS", [free])
    assert PortChooser().choose("app", busy).number == free
    (chooser := PortChooser()).choose("metrics", free)
    assert chooser.choose("app", busy).number not in (busy, free)


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
