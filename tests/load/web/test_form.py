"""The form of Locust's web UI: what is posted reaches the streams, and what cannot be run is refused in words."""

import json
import re
import urllib.parse

import pytest

STREAM = {"stream_path": "/events", "stream_end": "event:done"}
LOAD = {"user_count": 1, "spawn_rate": 1}
#: The fields that can have several lines, without ``stream``.
WIDE = ("Header", "Body", "Send", "End", "Error", "Chunk", "Slo", "ConnectTo", "Resolve")
SWITCHES = {"stream_insecure", "stream_stamps", "stream_include_usage"}


@pytest.fixture(scope="module")
def web(open_one_web):
    return open_one_web()


@pytest.fixture
def asked(web, recorder, until):
    """Starts a run by the form, and returns the first request of a stream."""

    def start(**fields):
        empty = dict.fromkeys(web.shown(), "")
        answer = web.post("/swarm", **{**LOAD, "host": recorder.url, **empty, **STREAM, **fields})
        assert answer["success"], answer
        until(lambda: recorder.requests, "a stream is asked for")
        return recorder.requests[0]

    yield start
    web.post("/stop")


@pytest.fixture
def refused(web, recorder):
    """Posts a form that is refused, and returns the words. Nothing is started."""

    def post(**fields):
        answer = web.post("/swarm", **{**LOAD, "host": recorder.url, **STREAM, **fields})
        assert answer.keys() == {"success", "message", "host"}
        assert answer["success"] is False
        statistics = web.statistics()
        assert statistics["state"] in ("ready", "stopped")
        assert statistics["user_count"] == 0
        assert recorder.requests == []
        return answer["message"]

    return post


def test_every_value_that_the_form_shows_can_be_posted(web, asked):
    shown = {name: str(value).lower() if name in SWITCHES else value for name, value in web.shown().items()}
    assert asked(**{**shown, **STREAM})["path"] == "/events"


def test_every_option_can_be_posted_empty(web, asked):
    first = asked(**dict.fromkeys(web.shown(), ""))
    assert first["path"].startswith("/stream/sse?")
    assert first["method"] == "GET"


def test_every_text_keeps_the_value_that_was_posted(web, asked):
    given = {
        "stream_path": '/ä?list=1,2&quote="x"',
        "stream_header": 'X-List: a, "b", c\r\nX-Latin: é',
        "stream_body": ' {"a": [1, 2],\n"b": "ü"} \n',
        "stream_accept": 'text/event-stream, application/json;q="0.5"',
        "stream_idle_timeout": " 8 ",
        "stream_total_timeout": "12.5s",
    }
    first = asked(**given)
    assert first["path"] == "/%C3%A4?list=1,2&quote=%22x%22"
    assert first["method"] == "POST"
    assert first["headers"]["x-list"] == 'a, "b", c'
    assert first["headers"]["x-latin"] == "é"
    assert first["headers"]["accept"] == given["stream_accept"]
    assert first["body"] == given["stream_body"].encode()


@pytest.mark.parametrize(("posted", "stamps"), [("true", True), ("false", False)])
def test_a_switch_is_on_and_off(asked, posted, stamps):
    assert ("streamgauge-stamps" in asked(stream_stamps=posted)["headers"]) is stamps


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_each_line_is_a_header(asked, line_break):
    fields = asked(stream_header=line_break.join(("A: 1", "", "B: x: y", " C : 3 ")))["headers"]
    assert [fields[name] for name in "abc"] == ["1", "x: y", "3"]


WRONG = {
    "stream_shape": ["rmap", "Wave:low=1"],
    "stream_path": ["events", "foo://host/x", "http://", "http://a b/"],
    "stream_protocol": ["http", "SSE"],
    "stream_method": ["G E T", "ÄT"],
    "stream_header": ["bad", "A: 1\nworse", "Ä: x", "X: ж", "X Y: z"],
    "stream_body": ["@missing", "@"],
    "stream_send": ["@missing", "@"],
    "stream_end": ["foo", "chunks:0", "event:"],
    "stream_error": ["foo", "chunks:1"],
    "stream_chunk": ["ping", "off"],
    "stream_status": ["ok", "2xx,"],
    "stream_accept": ["a\r\nb", "ж"],
    "stream_reconnect": ["-1", "1.5", "twice"],
    "stream_slo": ["latency.p99 < 1s", "failed == 0\nchunk_interval.p99 < 200"],
    "stream_first_chunk_timeout": ["soon", "-1", "nan", "1e400", "inf"],
    "stream_idle_timeout": ["soon", "1e300"],
    "stream_total_timeout": ["m1"],
    "stream_refusal_pause": ["-0.1", "off"],
    "stream_connect_to": ["h", "h:1\nh:0"],
    "stream_resolve": ["h:1:g"],
    "stream_unix_socket": ["x" * 108],
    "stream_warm_up": ["0", "soon", "Auto"],
    "stream_server_name": ["10.0.0.5", "https://h"],
    "stream_proxy": ["localhost:3128", "https://proxy:1", "http://"],
    "stream_ca_file": ["missing", "README.md", "."],
    "stream_client_cert": ["missing", "README.md"],
    "stream_client_key": ["missing", "README.md"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_value_that_is_wrong_is_named_with_its_option(refused, name, value):
    words = refused(**{name: value})
    assert f"--{name.replace('_', '-')}" in words
    shown = value if name == "stream_accept" else value.split("\n")[-1]
    assert repr(shown.removeprefix("@"))[1:-1] in words


def test_every_option_that_can_be_wrong_was_tried(web):
    assert set(WRONG) | SWITCHES == set(web.shown())


@pytest.mark.parametrize("host", ["example.org", "localhost:8000", "ftp://host", "http://", "http://a b", "nonsense"])
def test_a_host_that_no_stream_can_reach_is_refused(refused, host):
    words = refused(host=host)
    assert words.startswith("Host: ")
    assert repr(host)[1:-1].rstrip("/") in words


def test_a_warm_up_that_leaves_nothing_of_the_run_time_is_refused(refused):
    words = refused(run_time="20s", stream_warm_up="30s")
    assert words == "--stream-warm-up: expected less than the run time of 20 s, got '30s'"


LOCUSTS = {
    "user_count": dict.fromkeys(("", "many", "-1"), ""),
    "spawn_rate": dict.fromkeys(("nan", "0", ""), ""),
    "run_time": {
        "soon": "Valid run_time formats are",
        **dict.fromkeys(
            ("1000000001", "277778h", "5000000000s", "9" * 400, f"{10**15}h"),
            "Run time: expected at most 1e+09 seconds, got ",
        ),
        "9" * 5000: "Valid run_time formats are",  # Python reads no number of so many digits
    },
    "stop_timeout": {"soon": "Cannot start the run: ValueError: "},
}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        pytest.param(name, value, words, id=f"{name}={value[:20]}")
        for name, values in LOCUSTS.items()
        for value, words in values.items()
    ],
)
def test_nonsense_in_a_field_of_locusts_is_refused(refused, name, value, words):
    said = refused(**{name: value})
    assert said.startswith(words)
    if words.endswith("got "):
        assert said == f"{words}{value!r}"


@pytest.mark.parametrize("run_time", ["", "1000000000", "277777h46m40s", "3"])
def test_a_run_time_that_a_timer_carries_is_taken(asked, run_time):
    assert asked(run_time=run_time)["path"] == "/events"


def test_a_host_is_taken_without_angle_brackets_as_locust_does(asked, recorder):
    assert asked(host=f"<{recorder.url}>")["path"] == "/events"


def test_the_page_has_fields_of_several_lines(web):
    page = web.get("/")
    (sections,) = re.findall(r"fields \} of (\[.*\])\) \{", page)
    fields = [field for section in json.loads(sections) for field in section["fields"]]
    wide = [field["name"] for field in fields if field["lines"]]
    assert wide == [*(f"stream{name}" for name in WIDE)]
    assert all(field["label"] and field["help"] for field in fields)
    assert page.rstrip().endswith("</html>")


def test_a_run_that_locust_cannot_start_is_in_the_log_with_its_cause(web, refused):
    said = refused(stop_timeout="later")
    assert "Cannot start the run\nTraceback " in web.running.output
    assert said.partition(": ValueError: ")[2] in web.running.output


def test_what_was_refused_is_in_the_log(web, refused):
    refused(stream_end="nowhere")
    assert (
        "--stream-end: expected event:NAME, data:TEXT, json:MEMBER[=VALUE] (each also after 'not'), chunks:N or off"
        in web.running.output
    )


def test_headers_of_the_command_line_are_shown_and_stay(open_web, recorder, until):
    given = ("A: 1, 2", 'B: "x"')
    web = open_web(*(part for each in given for part in ("--stream-header", each)), "-H", recorder.url)
    shown = web.shown()
    assert shown["stream_header"] == "\n".join(given)
    assert web.post("/swarm", **LOAD, **shown | dict.fromkeys(SWITCHES, "false") | STREAM)["success"]
    until(lambda: recorder.requests, "a stream is asked for")
    fields = recorder.requests[0]["headers"]
    assert (fields["a"], fields["b"]) == ("1, 2", '"x"')


def test_user_classes_can_be_picked_and_one_that_is_none_is_no_error_of_the_server(open_web, recorder, until):
    web = open_web("--class-picker")
    picked = {**LOAD, **STREAM, "host": recorder.url, "user_classes": "SseListener"}
    answer = web.post("/swarm", **picked, shape_class="Missing")
    assert answer["success"] is False
    assert "Missing" in answer["message"]
    assert recorder.requests == []
    assert web.post("/swarm", **picked, shape_class="Default")["success"]
    until(lambda: recorder.requests, "a stream is asked for")


LOGIN = """
from flask import Blueprint
from flask_login import UserMixin
from locust import events
from loadtests.sse import SseListener

@events.init.add_listener
def protect(environment, **_):
    environment.web_ui.app.secret_key = "secret"
    environment.web_ui.login_manager.user_loader(lambda name: None)
    environment.web_ui.auth_args = {"username_password_callback": "/login_submit"}
"""


def test_who_is_not_logged_in_is_told_nothing_and_starts_nothing(open_web, recorder, tmp_path):
    locustfile = tmp_path / "scenario.py"
    locustfile.write_text(LOGIN)
    options = ("--web-login", "--web-base-path", "/load", "-H", recorder.url)
    web = open_web(*options, locustfile=locustfile, path="/load")
    form = urllib.parse.urlencode({**LOAD, "stream_end": "foo"}).encode()
    answer = web.get("/swarm", form)
    assert "stream-end" not in answer
    assert "auth" in answer
    assert recorder.requests == []


def test_a_base_path_changes_nothing(open_web, recorder, until):
    web = open_web("--web-base-path", "/load", path="/load")
    assert web.post("/swarm", **LOAD, host=recorder.url, stream_end="foo")["success"] is False
    assert web.post("/swarm", **LOAD, host=recorder.url, **STREAM)["success"]
    until(lambda: recorder.requests, "a stream is asked for")
