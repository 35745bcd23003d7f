"""URLs taken apart."""

import pytest

from streamgauge.client.connect.target import Target, TargetError, joined, target_of

HOST = "http://host:8000/base/"


@pytest.mark.parametrize(
    ("url", "host", "target"),
    [
        ("http://a/b", None, Target("http", "a", 80, "/b")),
        ("http://a", None, Target("http", "a", 80, "/")),
        ("http://A.Example:81/B?c=d#e", None, Target("http", "a.example", 81, "/B?c=d")),
        ("https://a/b", None, Target("https", "a", 443, "/b")),
        ("http://[::1]:81/b", None, Target("http", "::1", 81, "/b")),
        ("http://127.0.0.1/", None, Target("http", "127.0.0.1", 80, "/")),
        ("http://bücher.example/ü?ö=ä", None, Target("http", "xn--bcher-kva.example", 80, "/%C3%BC?%C3%B6=%C3%A4")),
        ("http://a/b%20c?d=%26", None, Target("http", "a", 80, "/b%20c?d=%26")),
        ("http://a/b c?d e", None, Target("http", "a", 80, "/b%20c?d%20e")),
        ("/x", HOST, Target("http", "host", 8000, "/base/x")),
        ("x", HOST, Target("http", "host", 8000, "/base/x")),
        ("", HOST, Target("http", "host", 8000, "/base/")),
        ("?x=1", HOST, Target("http", "host", 8000, "/base/?x=1")),
        ("/models/m:stream", "http://host", Target("http", "host", 80, "/models/m:stream")),
        ("/m:stream", "http://host", Target("http", "host", 80, "/m:stream")),
        ("/go?to=http://elsewhere/", "http://host", Target("http", "host", 80, "/go?to=http://elsewhere/")),
        ("http://elsewhere/x", HOST, Target("http", "elsewhere", 80, "/x")),
    ],
)
def test_a_url_or_a_path_below_the_host_is_a_target(url, host, target):
    assert target_of(url, host) == target


def test_parameters_join_the_query():
    assert target_of("http://a/?x=1", params={"y": [2, 3], "z": "ü &"}).resource == "/?x=1&y=2&y=3&z=%C3%BC+%26"
    assert target_of("http://a/", params={}).resource == "/"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("/x", "no host is set"),
        ("ftp://a/b", "expected a scheme of http"),
        ("http:///b", "names no host"),
        ("http://a:x/", "is not a URL"),
        ("http://a:70000/", "is not a URL"),
        ("http://[::1/", "is not a URL"),
        ("http://" + "a" * 64 + "/", "is not a host name"),
        ("http://a..b/", "is not a host name"),
        ("http://a/\udcff", "is not a URL"),
        ("http://a\udcff/", "is not a URL"),
    ],
)
def test_a_url_that_leads_nowhere_is_refused_by_name(url, reason):
    with pytest.raises(TargetError, match=reason) as caught:
        target_of(url)
    assert repr(url) in str(caught.value)


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("http://a/", "a"),
        ("http://a:80/", "a"),
        ("http://a:81/", "a:81"),
        ("https://a:80/", "a:80"),
        ("http://[::1]/", "[::1]"),
        ("http://[::1]:81/", "[::1]:81"),
    ],
)
def test_the_authority_names_the_port_only_where_it_must(url, authority):
    assert target_of(url).authority == authority


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/c", "http://a/c"),
        ("c?d", "http://a/b/c?d"),
        ("//e/f", "http://e/f"),
        ("http://e/f", "http://e/f"),
        ("/c?to=http://e/", "http://a/c?to=http://e/"),
    ],
)
def test_a_location_is_relative_to_what_was_asked(location, url):
    assert joined(target_of("http://a/b/x"), location).url == url


def test_a_location_below_a_unix_socket_stays_there():
    base = target_of("http+unix://%2Frun%2Fapp.sock/a")
    assert joined(base, "/c?to=http://e/") == Target(
        "http", "localhost", 80, "/c?to=http://e/", unix_path="/run/app.sock"
    )
