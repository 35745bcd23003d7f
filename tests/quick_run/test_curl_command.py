"""What a curl command asks for."""

import pytest

from streamgauge.quick_run.curl_command import curl_session, curl_session_of_words
from streamgauge.quick_run.curl_options import CurlProblem
from tests.quick_run.copied_commands import copied

URL = "http://127.0.0.1:8000/x"
FORM = ("Content-Type", "application/x-www-form-urlencoded")


def request(*words):
    return curl_session_of_words(words).requests[0]


def asked(*words):
    found = request(*words, URL)
    return found.method, found.headers, found.body


@pytest.mark.parametrize(
    ("words", "method", "headers", "body"),
    [
        ((), "GET", (), None),
        (("-X", "DELETE"), "DELETE", (), None),
        (("-XPUT", "-sSNd", "a"), "PUT", (FORM,), "a"),
        (("-d", "a=1", "--data", "b=2"), "POST", (FORM,), "a=1&b=2"),
        (("--data-raw", "@a"), "POST", (FORM,), "@a"),
        (("--data-urlencode", "q=a b&c", "--data-urlencode", "=d e"), "POST", (FORM,), "q=a+b%26c&d+e"),
        (("--json", '{"a":', "--json", "1}"), "POST",
         (("Content-Type", "application/json"), ("Accept", "application/json")), '{"a":1}'),
        (("-d", "{}", "-H", "content-type: application/json"), "POST", (("content-type", "application/json"),), "{}"),
        (("-H", "A: b: c", "-H", "B:", "-H", "Ccc;"), "GET", (("A", "b: c"), ("B", None), ("Ccc", "")), None),
        (("-A", "me", "-e", "http://r;auto", "-b", "a=1", "--cookie", "b=2"), "GET",
         (("User-Agent", "me"), ("Referer", "http://r"), ("Cookie", "a=1; b=2")), None),
        (("-A", "me", "-H", "user-agent: you"), "GET", (("user-agent", "you"),), None),
        (("-u", "user:pw"), "GET", (("Authorization", "Basic dXNlcjpwdw=="),), None),
        (("--oauth2-bearer", "t"), "GET", (("Authorization", "Bearer t"),), None),
        (("--compressed",), "GET", (("Accept-Encoding", "gzip, deflate, br, zstd"),), None),
        (("-H", ":authority: x", "-H", "Content-Length: 3", "-H", "Connection: Keep-Alive"), "GET", (), None),
        (("-H", "Connection: close", "-H", "A : b", "-H", "C: "), "GET",
         (("Connection", "close"), ("A", "b"), ("C", None)), None),
        (("-X", "post", "-A", "", "-e", ";auto"), "POST", (("User-Agent", None),), None),
        (("-H", "A: b", "-H", "C: d", "-H", "a: e", "-H", "A:"), "GET", (("A", "b, e"), ("C", "d")), None),
        (("-H", "Cookie: a=1", "-H", "cookie: b=2", "-b", "c=3"), "GET", (("Cookie", "a=1; b=2"),), None),
        (("-d", "a", "-X", "GET", "-H", "Accept: b"), "GET", (("Accept", "b"), FORM), "a"),
        (("--json", "{}", "-H", "Accept: b"), "POST", (("Accept", "b"), ("Content-Type", "application/json")), "{}"),
        (("-d", ""), "POST", (FORM,), ""),
        (("--data-urlencode", "a b", "--data-urlencode", "n=c=d e"), "POST", (FORM,), "a+b&n=c%3Dd+e"),
        (("-H", "Authorization: x", "-u", "a:b", "--oauth2-bearer", "t"), "GET", (("Authorization", "x"),), None),
        (("-u", "a:b", "--oauth2-bearer", "t"), "GET", (("Authorization", "Bearer t"),), None),
    ],
)  # fmt: skip
def test_options_make_the_request(words, method, headers, body):
    assert asked(*words) == (method, headers, body)


def test_get_moves_the_data_into_the_query():
    found = request("-G", "-d", "a=1", "--data-urlencode", "b=x y", f"{URL}?c=3")
    assert (found.method, found.url, found.body) == ("GET", f"{URL}?c=3&a=1&b=x+y", None)
    assert request("-G", "-d", "a=1", "--url-query", "b", "--url-query", "c=2", URL).url == f"{URL}?b&c=2&a=1"


def test_fields_of_a_form_are_encoded_from_files(tmp_path):
    (file := tmp_path / "a@b").write_bytes(b"x y=\xff")
    assert asked("--data-urlencode", f"name@{file}")[2] == "name=x+y%3D%EF%BF%BD"
    assert asked("--data-urlencode", f"@{file}")[2] == "x+y%3D%EF%BF%BD"
    with pytest.raises(CurlProblem, match=r"^--data-urlencode: '/no/such' cannot be read: No such file or directory$"):
        asked("--data-urlencode", "name@/no/such")


def test_files_are_read_as_curl_reads_them(tmp_path):
    (file := tmp_path / "body").write_bytes(b"aX\r\n\0b\n")
    assert asked("-d", f"@{file}")[2] == "aXb"
    assert asked("--data-binary", f"@{file}")[2] == "aX\r\n\0b\n"
    file.write_bytes(b"\xff\x00")
    assert asked("--data-binary", f"@{file}")[2] == b"\xff\x00"
    file.write_text("A: 1\n\nB: 2\n")
    assert asked("-H", f"@{file}")[1] == (("A", "1"), ("B", "2"))


def test_data_that_is_no_text_cannot_move_into_the_query(tmp_path):
    (file := tmp_path / "body").write_bytes(b"\xff\x00")
    with pytest.raises(CurlProblem, match=r"^-G: expected data that is UTF-8 text, got b'\\xff\\x00'"):
        request("-G", "--data-binary", f"@{file}", URL)


@pytest.mark.parametrize("option", ["--data-urlencode", "-u", "-H", "-b", "-x", "--url-query", "-X", "--url"])
def test_bytes_that_are_no_text_are_refused_where_text_is_needed(option):
    with pytest.raises(CurlProblem, match=rf"^{option}: expected text that can be encoded as UTF-8, got 'a=:\\udcff'$"):
        request(option, "a=:\udcff", URL)
    assert asked("-d", "\udcff")[2] == b"\xff"


def test_the_network_becomes_options_of_locust():
    words = ("-k", "-x", "proxy:3128", "--connect-to", "a:1:b:2", "--connect-to", "::c:", "--resolve", "a:1:::1")
    files = ("--unix-socket", "/run/a", "-E", "c.pem", "--key", "k.pem", "--cacert", "ca")
    session = curl_session_of_words([*words, *files, URL])
    assert curl_session_of_words(["--proxy", "https://p", URL]).options == {"stream_proxy": "https://p"}
    assert session.options == {
        "stream_insecure": True,
        "stream_proxy": "http://proxy:3128",
        "stream_connect_to": "a:1:b:2\n::c:",
        "stream_resolve": "a:1:::1",
        "stream_unix_socket": "/run/a",
        "stream_client_cert": "c.pem",
        "stream_client_key": "k.pem",
        "stream_ca_file": "ca",
    }


def test_the_longest_time_limits_the_stream():
    assert request("-m", "2.5", URL).total_timeout_s == 2.5
    assert request("--max-time", "0", URL).total_timeout_s is None


def test_what_only_curl_does_is_noted_and_what_it_prints_is_not():
    session = curl_session(f"curl -sSiNL --http2 -o out --retry 3 --http2 {URL}")
    assert session.notes == ("curl's --http2 has no effect here", "curl's --retry has no effect here")


@pytest.mark.parametrize(
    ("words", "url", "protocol"),
    [
        (("localhost:8000/x#part",), "http://localhost:8000/x", ""),
        (("example.com:443/x",), "https://example.com:443/x", ""),
        (("ws://h/x",), "ws://h/x", "websocket"),
        (("https://h/x", "-H", "Upgrade: websocket", "-H", "Sec-WebSocket-Key: k"), "wss://h/x", "websocket"),
        (("http://h/x", "-H", "upgrade: WebSocket", "-d", "a"), "ws://h/x", "websocket"),
        (("http://h/x", "-H", "Upgrade: h2c"), "http://h/x", ""),
        (("--url", "http://h/x"), "http://h/x", ""),
        (("--", "http://h/x"), "http://h/x", ""),
    ],
)
def test_the_url_says_how_to_connect(words, url, protocol):
    found = request(*words)
    assert (found.url, found.protocol) == (url, protocol)


@pytest.mark.parametrize("name", ["curl", "/usr/bin/curl", "curl.exe", "CURL.EXE"])
def test_curl_may_be_called_by_its_whole_name(name):
    assert curl_session(f"{name} http://h/x").requests[0].url == "http://h/x"


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("wget http://a", r"^expected a command that begins with curl, got 'wget http://a'$"),
        ("curl", r"^expected one URL, got none$"),
        ("curl http://a http://b", r"^expected one URL, got 'http://a', 'http://b'$"),
        ("curl http://a --form x=y",
         r"^--form: streamgauge does not know this option of curl; leave it out, or use others$"),
        ("curl http://a -F x=y", r"^-F: streamgauge does not know"),
        ("curl http://a -sT file", r"^-T: streamgauge does not know"),
        ("curl http://a -H", r"^-H: expected a value, got nothing$"),
        ("curl http://a -H x", r"^-H: expected 'Name: value', got 'x'$"),
        ("curl http://a -b jar.txt",
         r"^-b 'jar.txt': expected cookies such as 'name=value'; files of cookies are not read$"),
        ("curl http://a -d @no/such", r"^-d: 'no/such' cannot be read: No such file or directory$"),
        ("curl http://a -m soon", r"^--max-time: expected seconds, got 'soon'$"),
        ("curl http://a -m -1", r"^--max-time: expected seconds, got '-1'$"),
        ("curl http://a -m inf", r"^--max-time: expected seconds, got 'inf'$"),
        ("curl http://a -H @/no/such", r"^-H: '/no/such' cannot be read: No such file or directory$"),
        ("curl http://a -H :x", r"^-H: expected 'Name: value', got ':x'$"),
        ("curl http://a -I", r"^-I: a response without a body is no stream; leave it out$"),
        ("curl 'http://a", r"^a quote \('\) is not closed$"),
    ],
)  # fmt: skip
def test_a_command_that_cannot_be_run_says_why(command, problem):
    with pytest.raises(CurlProblem, match=problem):
        curl_session(command)


@pytest.mark.parametrize("shell", ["bash", "cmd"])
def test_a_chat_that_chromium_copied_is_the_request_of_the_page(shell):
    found = curl_session(copied("chat", shell)).requests[0]
    assert (found.url, found.method) == ("http://127.0.0.1:8000/v1/chat/completions?x=1", "POST")
    assert found.header("Authorization") == "Bearer t0p"
    assert found.header("Cookie") == "session=s3cret"
    assert found.header("sec-ch-ua") == '"Not:A-Brand";v="8", "Chromium";v="156"'
    accented = "é" if shell == "bash" else " "  # Chromium itself drops it for cmd
    text = rf"It's 100% \"{accented}\" & <b>!\n^ %PATH% $HOME\\x"
    assert found.body == (
        '{"model":"river","stream":true,"max_tokens":3,"messages":[{"role":"user","content":"' + text + '"}]}'
    )


@pytest.mark.parametrize("shell", ["bash", "cmd"])
def test_a_websocket_that_chromium_copied_has_the_fields_of_the_page_alone(shell):
    found = curl_session(copied("websocket", shell)).requests[0]
    assert (found.url, found.protocol) == ("ws://127.0.0.1:8000/stream/ws?chunks=3", "websocket")
    assert [name for name, _ in found.headers] == ["Cookie", "Origin", "Cache-Control", "Pragma", "User-Agent"]


def test_commands_that_firefox_copied_keep_their_json():
    assert curl_session(copied("firefox", "bash")).requests[0].body == '{"stream":true}'
    found = curl_session(copied("firefox", "cmd")).requests[0]
    assert (found.method, found.body) == ("POST", '{"stream":true,"q":"a b"}')
