"""Values that no option takes: refused with the option's name and the value, exit status 2, in the form as well."""

import re

import pytest

BEYOND = ("-1", "-1e-9", "1000000001", "1.1e9s", "inf", "-inf", "1e400", "nan")
NO_TIME = ("soon", "m1", "s", "5ss", "5S", "1,5", " ", "\0", "\udcff")
NO_NUMBER = ("-1", "+1", "1.5", "1e3", "twice", "1 2", " ", "٣", "²", "1\n2", "1" * 19, "9" * 5000)
#: What cannot be given, by option, and what the refusal says besides: what is expected, or the reason.
REFUSED = {
    "stream_shape": dict.fromkeys(("rmap", "Ramp", "rmap:to=1", " ", "\udcff"), "ramp, step, spike, soak or wave"),
    "stream_path": {
        **dict.fromkeys(("events", "?x=1", ".", " ", "\0", "http:/x", "h/x"), "that starts with / or a whole URL"),
        "/\udcff": "UTF-8",
    },
    "stream_protocol": dict.fromkeys(
        ("smtp", "SSE", "sse ndjson", " ", "\udcff"), "expected one of auto, sse, ndjson, "
    ),
    "stream_method": dict.fromkeys(("G E T", "ÄT", "GET\nX", "G\0T", "GET/", " ", "\udcff"), "method"),
    "stream_header": dict.fromkeys(
        ("bad", ": x", "A B: x", "Ä: x", "A: ж", "A: \0x", "A: x\x7fy", "A: \udcff", "A: x\u2028B: y"), "Latin-1"
    ),
    "stream_body": {
        "@FILES/missing": "No such file",
        "@FILES": "Is a directory",
        "@": "Is a directory",
        "@a\0b": "not a file name",
        "a\udcff": "UTF-8",
    },
    "stream_send": {"@FILES/missing": "No such file", "@FILES": "Is a directory", "a\udcff": "UTF-8"},
    "stream_end": dict.fromkeys(
        ("foo", "event", "event:", "Event:x", ":x", " data:x", "chunks:0", "chunks:-1", "chunks:1.5", "chunks:٣"),
        "chunks:N",
    ),
    "stream_error": dict.fromkeys(("error", "chunks:1", "json:", "json:a..b", "not off", "any"), "json:MEMBER"),
    "stream_chunk": dict.fromkeys(("ping", "chunks:1", "off", "not", "not ping", "json:=x"), "json:MEMBER"),
    "stream_status": dict.fromkeys(("ok", "42", "2XX", "6xx", "500-400", "200,", "٤٢٩", "-1"), "429, 2xx, 500-599"),
    "stream_accept": dict.fromkeys(("a\r\nb", "a\nB: c", "ж", "a\0b", "\udcff"), "Latin-1"),
    "stream_reconnect": dict.fromkeys(NO_NUMBER, "a whole number such as 3"),
    **dict.fromkeys(
        ("stream_first_chunk_timeout", "stream_idle_timeout", "stream_total_timeout"),
        dict.fromkeys((*BEYOND, *NO_TIME), "a duration such as 30s, from 0 (no limit) to 1e+09 s"),
    ),
    "stream_refusal_pause": dict.fromkeys((*BEYOND, *NO_TIME), "a duration such as 30s, from 0 (no pause) to 1e+09 s"),
    "stream_warm_up": dict.fromkeys(("0", *BEYOND, *NO_TIME, "Auto", "automatic"), "a duration such as 30s, above 0"),
    "stream_proxy": dict.fromkeys(
        ("localhost:3128", "h", "//h:1", " ", "https://h:1", "ws://h:1", "http+unix://%2Frun%2Fproxy.sock"), "host:port"
    ),
    "stream_ca_file": {
        "FILES/missing": "No such file",
        "FILES": "Is a directory",
        "FILES/no.pem": "authorities",
        "a\0b": "not a file name",
    },
    "stream_client_cert": {"FILES/missing": "No such file", "FILES": "Is a directory", "a\0b": "not a file name"},
    "stream_connect_to": dict.fromkeys(
        ("h", ":", "h:0", "h:65536", "h:1:g", "h:1::", "h:1:g:2:3", "[::1:80", "a b:1", "u@h:1", "h/x:1"),
        "HOST:PORT or HOST1:PORT1:HOST2:PORT2",
    ),
    "stream_resolve": dict.fromkeys(
        (
            "h:1",
            "h:1:",
            "h:1:g",
            "h:0:1.2.3.4",
            "h::1.2.3.4",
            ":1:1.2.3.4",
            "-h:1:1.2.3.4",
            "h:1:1.2.3.4,",
            "h:x:1.2.3.4",
        ),
        "HOST:PORT:ADDRESS such as shop.example.com:443:127.0.0.1",
    ),
    "stream_unix_socket": dict.fromkeys((" ", "a\0b", "x" * 108), "the path of a Unix socket"),
    "stream_server_name": dict.fromkeys(
        ("10.0.0.5", "::1", "[::1]", "https://h", "h:443", "h/x", "a b", "a..b", "u@h", "h?", " ", ".", "a" * 64, "\0"),
        "a host name such as shop.example.com",
    ),
    "stream_client_key": {"FILES/missing": "No such file", "FILES": "Is a directory", "a\0b": "not a file name"},
}
OF_COMMAND = {
    "stream_metrics_port": dict.fromkeys(("65536", "-1", "1.5", " 80", "OFF", "on", "٣", "80\n", "9" * 5000), "a port"),
    "stream_metrics_linger": dict.fromkeys(
        ("-1", "-1e-9s", "inf", "nan", "soon", "m1", "s", "5ss", "\0"), "a duration such as 30s"
    ),
}


#: The options that have no short name.
LONG_ONLY = (
    *("path", "protocol", "method", "header", "body", "send", "end", "error", "chunk", "status", "accept", "reconnect"),
)


def triples(table):
    return [
        pytest.param(name, text, words, id=f"{name}={ascii(text)[:40]}")
        for name, texts in table.items()
        for text, words in texts.items()
    ]


def flag(name):
    return "--" + name.replace("_", "-")


def names(name):
    """Both names, as the parser shows them."""
    short = flag(name.removeprefix("stream_"))
    return f"{flag(name)}/{short}" if name.removeprefix("stream_") not in LONG_ONLY else flag(name)


def refusal(text):
    """The sentence: what is expected or cannot be read, and the value as it was given."""
    value = re.escape(repr(text.removeprefix("@"))) if text.startswith("@") else re.escape(repr(text)[1:-1].strip())
    return re.compile(rf"(expected |cannot (read|use) ).*{value}.*", re.DOTALL)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    (folder / "no.pem").write_text("no certificate")
    return str(folder)


@pytest.fixture
def refused(read):
    """The sentence in which the parser refuses options, after its exit status and the option were checked."""

    def words(name, *options, **more):
        outcome = read(*options, **more)
        assert outcome.get("status") == 2, outcome
        start = f"error: argument {names(name)}: "
        assert outcome["said"].count(start) == 1
        return outcome["said"].partition(start)[2].removesuffix("\n")

    return words


@pytest.mark.parametrize(("name", "text", "words"), triples({**REFUSED, **OF_COMMAND}))
def test_an_option_and_a_variable_are_refused_in_the_same_words(refused, files, name, text, words):
    text = text.replace("FILES", files)
    said = refused(name, f"{flag(name)}={text}")
    assert words in said
    assert refusal(text).fullmatch(said)
    assert refused(name, variables={f"LOCUST_{name.upper()}": text}) == said


@pytest.mark.parametrize(("name", "text", "words"), triples(REFUSED))
def test_a_field_of_the_form_is_refused_in_the_words_of_the_option(read, refused, files, name, text, words):
    text = text.replace("FILES", files)
    said = read(form={name: text})["said"]
    assert said == f"{flag(name)}: {refused(name, f'{flag(name)}={text}')}"


def test_the_line_that_is_no_header_is_shown_and_no_other(refused):
    assert refused("stream_header", "--stream-header=A: 1\r\n worse \nB: 2").endswith(", got ' worse '")


@pytest.mark.parametrize("name", ["stream_proxy", "stream_path"])
@pytest.mark.parametrize("text", ["http://", "foo://host/x", "http://a b/", "http://h:70000", "http://\udcff"])
def test_a_url_that_cannot_be_asked_is_shown(refused, name, text):
    assert repr(text) in refused(name, f"{flag(name)}={text}")


def test_a_key_without_its_certificate_is_refused_by_both_names(read, authority, tmp_path):
    key, other = tmp_path / "key.pem", tmp_path / "other.pem"
    issued = authority.issue_cert("localhost")
    issued.private_key_pem.write_to_path(str(key))
    issued.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    authority.issue_cert("localhost").private_key_pem.write_to_path(str(other))
    both = "--stream-client-cert, --stream-client-key: "
    said = read(f"--stream-client-key={key}")["said"]
    assert said.startswith(both)
    assert repr(str(key)) in said
    said = read(f"--stream-client-key={other}", f"--stream-client-cert={tmp_path / 'cert.pem'}")["said"]
    assert said.startswith(both)
    assert repr(str(tmp_path / "cert.pem")) in said
    assert read(f"--stream-client-cert={key}")["said"].startswith(both)


def test_an_end_that_the_named_format_cannot_have_is_refused_by_both_names(read):
    said = read("--stream-protocol=ndjson", "--stream-end=event:done")["said"]
    assert said.startswith("--stream-end, --stream-protocol: 'event:done' names an SSE event")
    assert "value" in read("--stream-protocol=anthropic", "--stream-end=event:message_stop")
