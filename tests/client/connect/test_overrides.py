"""Where connections lead instead of where the URL says: rules for hosts, addresses, and a Unix socket."""

import socket

import pytest

from streamgauge.client.connect.overrides import (
    ConnectTo,
    Overrides,
    read_connect_to,
    read_resolved,
)
from streamgauge.client.connect.routing import Network
from streamgauge.client.connect.stamped_socket import open_socket
from streamgauge.client.connect.target import target_of

SHOP, OTHER = target_of("https://shop.test/a"), target_of("http://other.test/b")


def overrides(*, connect_to=(), resolve=(), unix_socket=""):
    return Overrides(tuple(map(read_connect_to, connect_to)), tuple(map(read_resolved, resolve)), unix_socket)


def route(target, *, proxy=None, tunnel=False, **rules):
    """The route: its addresses without what the resolver adds, the CONNECT line, and whether a proxy relays."""
    found = Network(proxy, overrides=overrides(**rules)).route_to(target, tunnel=tunnel)
    addresses = [where if isinstance(where, str) else where[:2] for _, where in found.addresses]
    return addresses, found.tunnel.partition(b" HTTP")[0].decode(), found.absolute, found.server_name


@pytest.mark.parametrize("target", [SHOP, OTHER])
def test_a_place_without_conditions_is_for_every_url(target):
    assert route(target, connect_to=["127.0.0.2:8443"]) == ([("127.0.0.2", 8443)], "", False, target.host)


@pytest.mark.parametrize(
    ("rule", "place"),
    [
        ("shop.test:443:127.0.0.2:81", ("127.0.0.2", 81)),
        ("SHOP.test::127.0.0.2:", ("127.0.0.2", 443)),
        (":443:127.0.0.2:", ("127.0.0.2", 443)),
        ("shop.test:443::81", ("127.0.0.9", 81)),
        ("shop.test:80:127.0.0.2:81", ("127.0.0.9", 443)),
        ("other.test:443:127.0.0.2:81", ("127.0.0.9", 443)),
    ],
)
def test_a_rule_is_for_the_hosts_and_ports_that_it_names(rule, place):
    known = ("shop.test:443:127.0.0.9", "shop.test:81:127.0.0.9")
    assert route(SHOP, connect_to=[rule], resolve=known)[0] == [place]


def test_the_first_rule_that_matches_applies_and_once():
    rules = ["other.test:80:127.0.0.1:1", "shop.test:443:127.0.0.2:2", "127.0.0.2:2:127.0.0.3:3", ":::4"]
    assert route(SHOP, connect_to=rules)[0] == [("127.0.0.2", 2)]


def test_an_address_is_for_a_host_and_port_and_the_last_one_given_for_them():
    given = ["*:443:127.0.0.2", "shop.test:443:127.0.0.3", "shop.test:443:[::1],127.0.0.4", "shop.test:80:127.0.0.5"]
    assert route(SHOP, resolve=given)[0] == [("::1", 443), ("127.0.0.4", 443)]


def test_any_host_has_the_address_of_the_star_even_one_that_is_an_address():
    assert route(target_of("http://10.0.0.1:8080/"), resolve=["*:8080:127.0.0.2"])[0] == [("127.0.0.2", 8080)]


def test_the_host_that_a_rule_connects_to_is_looked_up_among_the_addresses():
    found = route(OTHER, connect_to=["shop.test:443"], resolve=["shop.test:443:127.0.0.2"])
    assert found == ([("127.0.0.2", 443)], "", False, "other.test")


def test_a_proxy_is_asked_for_a_tunnel_to_the_place_even_without_tls():
    proxy = "http://127.0.0.1:3128"
    there = ([("127.0.0.1", 3128)], "CONNECT 10.0.0.5:81", False, "other.test")
    assert route(OTHER, proxy=proxy, connect_to=["10.0.0.5:81"]) == there
    assert route(OTHER, proxy=proxy, connect_to=["shop.test:443:10.0.0.5:81"])[1:3] == ("", True)


def test_the_address_of_a_proxy_can_be_given():
    assert route(OTHER, proxy="http://proxy.test:3128", resolve=["proxy.test:3128:127.0.0.2"])[0] == [
        ("127.0.0.2", 3128)
    ]


@pytest.mark.parametrize("target", [SHOP, OTHER])
def test_a_unix_socket_is_for_every_url_and_keeps_tls(target):
    found = Network(overrides=overrides(unix_socket="/run/app.sock")).route_to(target)
    assert found.addresses == ((socket.AF_UNIX, "/run/app.sock"),)
    assert (found.tls is not None, found.server_name) == (target.scheme == "https", target.host)


def test_a_socket_named_by_the_url_is_that_of_the_url():
    target = target_of("http+unix://%2Frun%2Fown.sock/")
    assert route(target, connect_to=["10.0.0.5:81"], unix_socket="/run/app.sock")[0] == ["/run/own.sock"]


def test_a_rule_that_keeps_a_request_where_it_is_changes_nothing():
    assert ConnectTo("", 0, "shop.test", 443).applied_to(SHOP) == SHOP


def test_a_unix_socket_whose_queue_is_full_says_so(tmp_path):
    path = str(tmp_path / "full.sock")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(0)
        waiting = [open_socket((socket.AF_UNIX, path))]
        with pytest.raises(OSError, match="the queue of the Unix socket is full"):
            waiting.extend(open_socket((socket.AF_UNIX, path)) for _ in range(5))
        for each in waiting:
            each.close()
