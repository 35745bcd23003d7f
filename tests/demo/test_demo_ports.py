"""Which ports a demo takes again when it starts once more."""

import pytest

from streamgauge.demo.demo_ports import Ports
from streamgauge.runner.locust_ports import LocustPorts
from streamgauge.runner.ports import Port, PortError


def test_locusts_port_that_was_taken_since_gives_way_unless_it_was_asked_for(busy, free):
    ports = LocustPorts(Port(busy), Port(free))
    anew = ports.chosen_again()
    assert anew.web.number != busy
    assert anew.notices[0].startswith(f"port {busy} (Locust's web UI) is busy")
    assert anew.workers == ports.workers
    with pytest.raises(PortError, match=rf"--web-port {busy}: the port is busy"):
        LocustPorts(Port(busy, asked_for=True), None).chosen_again()


def test_a_port_that_was_taken_since_gives_way_unless_it_was_asked_for(busy, free):
    ports = Ports(Port(busy), Port(free, asked_for=True), LocustPorts(None, None))
    anew = ports.chosen_again()
    assert anew.app.number != busy
    assert anew.metrics == ports.metrics
    with pytest.raises(PortError):
        Ports(Port(busy, asked_for=True), Port(free), LocustPorts(None, None)).chosen_again()
