"""How the service is reached: TLS, certificates, a forward proxy; and where results and metrics are."""

import ssl
import urllib.error
import urllib.request

import pytest


@pytest.fixture
def certified(authority):
    """Makes the TLS context of a server whose certificate is for a host name."""

    def make(name="localhost"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(context)
        return context

    return make


@pytest.fixture
def ca_file(authority, tmp_path):
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return tmp_path / "ca.pem"


def test_a_certificate_of_an_unknown_authority_is_refused(ask, serve, certified):
    server = serve(certified())
    (streams,) = ask(server.url).result["streams"]
    assert streams["outcomes"] == {"connect_error": 1}
    assert "certificate refused" in next(iter(streams["reasons"]))
    assert server.requests == []


def test_insecure_accepts_it_for_any_host(ask, serve, certified, outcomes):
    server = serve(certified("elsewhere.test"))
    done = ask(server.url, variables={"LOCUST_STREAM_INSECURE": "true"})
    assert outcomes(done) == {"/events": {"completed": 1}}, done.output
    assert len(server.requests) == 1


def test_a_client_shows_its_certificate_through_the_proxys_tunnel(
    ask, serve, certified, authority, ca_file, proxy, tmp_path, outcomes
):
    context = certified()
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    issued, (cert, key) = authority.issue_cert(common_name="a load test"), (tmp_path / "cert.pem", tmp_path / "key.pem")
    issued.cert_chain_pems[0].write_to_path(str(cert))
    issued.private_key_pem.write_to_path(str(key))
    server = serve(context, asks_who=True)
    shown = ("--stream-ca-file", ca_file, "--stream-client-cert", cert, "--stream-client-key", key)
    done = ask(server.url, *shown, "--stream-proxy", proxy.url)
    assert outcomes(done) == {"/events": {"completed": 1}}, done.output
    ((*_, subject),) = server.requests
    assert subject["commonName"] == "a load test"
    assert proxy.requests == [f"CONNECT localhost:{server.server_port}"]


@pytest.mark.parametrize("proxied", [False, True], ids=["direct", "through a tunnel"])
def test_a_service_at_an_address_is_asked_by_its_name(ask, serve, certified, ca_file, proxy, outcomes, proxied):
    context, asked_for = certified("shop.test"), []
    context.sni_callback = lambda _, name, __: asked_for.append(name)
    server = serve(context)
    address = f"127.0.0.1:{server.server_port}"
    through = ("--stream-proxy", proxy.url) if proxied else ()
    name = ("--stream-server-name", "shop.test", "--stream-ca-file", ca_file)
    done = ask(f"https://{address}", *name, *through, paths=("/home",))
    assert outcomes(done) == {"/home": {"completed": 1}}, done.output
    assert set(asked_for) == {"shop.test"}
    assert {headers["Host"] for _, _, headers, *_ in server.requests} == {f"shop.test:{server.server_port}"}
    assert [path for _, path, *_ in server.requests] == ["/home", "/events"]
    assert set(proxy.requests) == ({f"CONNECT {address}"} if proxied else set())


def test_a_host_header_of_the_users_own_wins_over_the_name_and_alone_is_not_enough(ask, serve, certified, ca_file):
    server, header = serve(certified("shop.test")), ("--stream-header", "Host: inner.test")
    done = ask(server.url, *header, "--stream-server-name", "shop.test", "--stream-ca-file", ca_file)
    assert [headers["Host"] for _, _, headers, *_ in server.requests] == ["inner.test"], done.output
    assert "--stream-server-name" not in done.output
    done = ask(server.url, *header, "--stream-ca-file", ca_file)
    assert "--stream-server-name inner.test sets both" in done.output
    assert len(server.requests) == 1


def test_a_named_service_is_connected_to_elsewhere_and_redirects_lead_there_too(ask, serve, certified, ca_file):
    context, asked_for = certified("shop.test"), []
    context.sni_callback = lambda _, name, __: asked_for.append(name)
    server = serve(context)
    there = (
        "--stream-connect-to",
        f"there.test:{server.server_port}",
        "--resolve",
        f"*:{server.server_port}:127.0.0.1",
    )
    done = ask("https://shop.test", *there, "--stream-ca-file", ca_file, paths=("/home", "/events"))
    assert done.outcomes == {"completed": 2}, done.output
    assert set(asked_for) == {"shop.test"}
    assert {headers["Host"] for _, _, headers, *_ in server.requests} == {"shop.test"}
    assert sorted(path for _, path, *_ in server.requests) == ["/events", "/events", "/home"]
    repeated = done.result["run"]["command"]
    assert f"--stream-connect-to there.test:{server.server_port}" in repeated


CONTRADICTIONS = {
    "a name and a place": (
        ("--stream-server-name=shop.test", "--stream-connect-to=h:1"),
        "--stream-connect-to, --stream-server-name: both say where a named service is; give 'shop.test' in --host",
    ),
    "a socket and a place": (
        ("--unix-socket=/s", "--connect-to=h:1"),
        "--stream-unix-socket, --stream-connect-to: connections to a Unix socket need no other way; give only one",
    ),
    "a socket and a proxy": (
        ("--unix-socket=/s", "--proxy=http://p:1"),
        "--stream-unix-socket, --stream-proxy: connections to a Unix socket need no other way; give only one",
    ),
    "addresses and a proxy that has them": (
        ("--resolve=shop.test:443:10.0.0.5", "--proxy=http://p:1"),
        "--stream-resolve, --stream-proxy: the proxy resolves the names of services, and no entry is for the proxy",
    ),
}


@pytest.mark.parametrize("what", CONTRADICTIONS)
def test_options_that_contradict_each_other_are_refused(read, what):
    options, words = CONTRADICTIONS[what]
    assert read(*options)["said"].startswith(words)


def test_the_address_of_the_proxy_itself_is_no_contradiction(read):
    found = read("--resolve=p:1:10.0.0.5", "--proxy=http://p:1")["value"]
    assert (found["stream_resolve"], found["stream_proxy"]) == ([["p", 1, ["10.0.0.5"]]], "http://p:1")


def test_a_host_that_only_the_proxy_knows_is_reached_by_it(ask, service, proxy, outcomes):
    proxy.hosts["service.test"] = f"127.0.0.1:{service.server_port}"
    done = ask("http://service.test", variables={"LOCUST_STREAM_PROXY": proxy.url})
    assert outcomes(done) == {"/events": {"completed": 1}}, done.output
    assert proxy.requests == ["GET http://service.test/events"]
    assert [path for _, path, *_ in service.requests] == ["/events"]


def test_metrics_and_results_are_where_the_options_say(ask, service, free_port, tmp_path):
    port, pages = free_port(), []

    def look(_):
        pages.append(urllib.request.urlopen(f"http://127.0.0.2:{port}/metrics", timeout=60).read().decode())
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60)

    there = ("--stream-metrics-port", port, "--stream-metrics-host", "127.0.0.2", "--stream-metrics-linger", 0)
    done = ask(service.url, metrics=there, at=look)
    assert "stream_client_users" in pages[0], done.output
    (directory,) = (tmp_path / "results").iterdir()
    assert {each.name for each in directory.iterdir()} >= {
        "result.json", "report.html", "streams.csv", "timeline.csv"
    }  # fmt: skip
