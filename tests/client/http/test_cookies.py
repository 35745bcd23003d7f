"""Cookies: which are kept, and which requests they go with."""

import pytest

from streamgauge.client.blocking import run_streams
from streamgauge.client.connect.target import target_of
from streamgauge.client.http.cookies import Cookies
from streamgauge.client.http.request import Request
from streamgauge.stats.outcome import Outcome
from streamgauge.wire.http1_head import parse_head

SETTER = "http://a.example/dir/page"


def sent(cookies: Cookies, url: str, **headers: str) -> list[str]:
    """The Cookie fields of a request."""
    request = cookies.added_to(Request("GET", target_of(url), headers))
    return [value for name, value in request.headers.items() if name.lower() == "cookie"]


def after(*set_cookies: str, url: str = SETTER) -> Cookies:
    """A user's cookies after a response."""
    cookies = Cookies()
    lines = ["HTTP/1.1 200 OK", *(f"Set-Cookie: {each}" for each in set_cookies)]
    cookies.take(target_of(url), parse_head("\r\n".join(lines).encode("latin-1")))
    return cookies


GOES = {
    "host only": ("a=1", "http://a.example/dir/x", True),
    "another host": ("a=1", "http://b.example/dir/x", False),
    "below its host, which it does not name": ("a=1", "http://www.a.example/dir/x", False),
    "below its domain": ("a=1; Domain=a.example", "http://www.a.example/dir/x", True),
    "a domain that is not its own": ("a=1; Domain=b.example", "http://b.example/dir/x", False),
    "another port": ("a=1", "http://a.example:81/dir/x", True),
    "below its path": ("a=1; Path=/dir", "http://a.example/dir/sub/x", True),
    "beside its path": ("a=1; Path=/dir", "http://a.example/direct", False),
    "the path of the page": ("a=1", "http://a.example/", False),
    "secure, in the open": ("a=1; Secure; Path=/", "http://a.example/", False),
    "secure, under TLS": ("a=1; Secure; Path=/", "https://a.example/", True),
    "expired": ("a=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "http://a.example/", False),
    "not yet expired": ("a=1; Path=/; Expires=Wed, 09 Jun 2100 10:18:14 GMT", "http://a.example/", True),
    "no age": ("a=1; Path=/; Max-Age=0", "http://a.example/", False),
    "age before expiry": (
        "a=1; Path=/; Max-Age=100; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "http://a.example/", True,
    ),
    "attributes nobody knows": ("a=1; Path=/; HttpOnly; SameSite=Lax; Priority=High", "http://a.example/", True),
}  # fmt: skip


@pytest.mark.parametrize(("cookie", "url", "goes"), GOES.values(), ids=GOES)
def test_a_cookie_goes_where_its_attributes_say(cookie, url, goes):
    assert sent(after(cookie), url) == (["a=1"] if goes else [])


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:8000", "[::1]:8000", "[::1]"])
def test_hosts_without_a_domain_keep_theirs(host):
    assert sent(after("a=1", url=f"http://{host}/"), f"http://{host}/x") == ["a=1"]


def test_a_later_response_takes_a_cookie_back():
    cookies = after("a=1; Path=/", "b=2; Path=/")
    cookies.take(target_of(SETTER), parse_head(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=; Path=/; Max-Age=0"))
    assert sent(cookies, SETTER) == ["b=2"]


@pytest.mark.parametrize("name", ["Cookie", "cookie"])
def test_a_request_has_one_field_for_given_cookies_and_set_ones(name):
    (field,) = sent(after("a=new; Path=/"), "http://a.example/", **{name: "given=1; a=old"})
    assert field == "given=1; a=new"


@pytest.mark.parametrize("cookie", ["a=\x01", "a=1; Path=/\x7f", ";;;=", ""])
def test_what_is_no_cookie_is_passed_over(cookie):
    assert sent(after(cookie, "b=2"), "http://a.example/dir/x") == ["b=2"]


def test_cookies_set_before_a_break_go_with_the_next_connection(plan, server):
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nSet-Cookie: at=2\r\n"
    begun = [head + b"Content-Length: 99\r\n\r\nretry: 1\ndata: 1\n\n", "fin"]
    rest = [head + b"Content-Length: 21\r\n\r\nevent: done\ndata: 2\n\n"]
    server.on_request[2] = {"/": rest}
    (record,) = run_streams([plan(begun, headers={"Cookie": "given=1"}, reconnect=1, end="event:done")])
    assert (record.outcome, record.chunks) == (Outcome.COMPLETED, 2), record.reason
    assert [b"\r\nCookie: given=1; at=2\r\n" in request for request in server.requests] == [False, True]
