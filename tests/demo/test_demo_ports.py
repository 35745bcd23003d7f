"""Which ports a demo takes again when it starts once more."""

import pytest

from streamgauge.demo.demo_ports import Ports
from streamgauge.runner.ports import Port, PortError


def test_locusts_port_that_was_taken_since_gives_way_unless_it_was_asked_for(busy, free):
    ports = Ports(Port(1), Port(2), Port(busy), Port(free))
    anew = ports.locust_chosen_again()
    assert anew.web.number != busy
    assert anew.web.notice.startswith(f"port {busy} (Locust's web UI) is busy")
    assert (anew.app, anew.metrics, anew.workers) == (ports.app, ports.metrics, ports.workers)
    with pytest.raises(PortError, match=rf"--web-port {busy}: the port is busy"):
        Ports(Port(1), Port(2), Port(busy, asked_for=True), None).locust_chosen_again()


def test_a_port_that_was_taken_since_gives_way_unless_it_was_asked_for(busy, free):
    ports = Ports(Port(busy), Port(free, asked_for=True), None, None)
    anew = ports.chosen_again()
    assert anew.app.number != busy
    assert anew.metrics == ports.metrics
    with pytest.raises(PortError):
        Ports(Port(busy, asked_for=True), Port(free), None, None).chosen_again()
