"""The locustfile that a quick run writes: readable, and the request unchanged."""

import ast
import json
from pathlib import Path

import pytest

from streamgauge.quick_run.locustfile_text import Load, locustfile_text
from streamgauge.quick_run.python_text import class_name, json_value, literal, method_name, quoted
from streamgauge.quick_run.stream_request import SentMessage, Session, StreamRequest

LOAD = Load(users=10, spawn_rate=10.0, run_time_s=10, options={"stream_slo": "a < 1\nb < 2"})


def calls(text):
    """The arguments of every call of play, stream, spawn, sleep and set_defaults, in the order of the text."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            arguments = [ast.unparse(each) for each in node.args]
            found.append((node.func.attr, arguments, {each.arg: ast.unparse(each.value) for each in node.keywords}))
    return found


def played(text):
    """The keywords of the only call of play."""
    (found,) = (keywords for name, _, keywords in calls(text) if name == "play")
    return found


def written(*requests, recorded=False):
    text = locustfile_text(Session(requests, recorded=recorded), LOAD)
    assert max(map(len, text.splitlines())) <= 120
    return text


def test_a_url_makes_a_file_as_a_person_writes_it():
    text = written(StreamRequest("http://127.0.0.1:8000/stream/sse?chunks=5", end=("event:done",)))
    assert 'class StreamSse(StreamUser):\n    """Reads http://127.0.0.1:8000/stream/sse again and again."""' in text
    assert '    host = "http://127.0.0.1:8000"\n' in text
    assert '        self.play("/stream/sse?chunks=5", end="event:done")\n' in text
    defaults = next(keywords for name, _, keywords in calls(text) if name == "set_defaults")
    assert defaults == {
        "num_users": "10", "spawn_rate": "10", "run_time": "'10s'", "stream_slo": "'a < 1\\nb < 2'"
    }  # fmt: skip


#: Lists and objects that fit into a line, and others that do not.
NESTED = {
    "model": "m",
    "messages": [
        {"role": "system", "content": "Answer in one sentence."},
        {"role": "user", "content": "x" * 36},
        {"role": "user", "content": "x" * 37},
        {"role": "user", "content": [{"type": "text", "text": "y" * 20}, {"type": "text", "text": "z" * 20}]},
    ],
    "stop": [],
    "tools": [[1, 2.5, None, True], {}],
}
WRITTEN = {
    "url": (
        Session((StreamRequest("http://u:pw@h/v1/x", "POST", (("A", "1"),), "a=1", protocol="sse", status="2xx",
                               end=("event:a", "event:b"), chunk=("c",), total_timeout_s=2.5),)),
        LOAD,
    ),
    "nested": (
        Session((StreamRequest("http://a/v1/chat/completions", "POST", (("content-type", "Application/JSON"),),
                               json.dumps(NESTED)),)),
        LOAD,
    ),
    "in_a_row": (
        Session((
            StreamRequest("http://a/x?q", headers=(("A", "1"), ("B", "2")), end_s=1.0),
            StreamRequest("ws://a/y", headers=(("B", "2"), ("A", "1")), messages=(SentMessage("hi", 0.5),),
                          protocol="websocket", begin_s=2.0),
        ), recorded=True),
        Load(None, None, None, {"stream_arrivals": "5/s", "stream_shape": "ramp"}),
    ),
    "together": (
        Session(tuple(StreamRequest(url, begin_s=begin_s) for url, begin_s in
                      (("http://a/x", 0.0), ("http://b/y", 2.0), ("http://a/z", 2.5))), recorded=True),
        Load(1, 0.5, 20, {}),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITTEN)
def test_a_file_is_written_whole(name):
    """``written/`` has the texts."""
    assert locustfile_text(*WRITTEN[name]) == Path(__file__).with_name("written").joinpath(f"{name}.txt").read_text()


@pytest.mark.parametrize(
    ("load", "words"),
    [
        (Load(1, 1.0, 5, {}), "1 user for 5 s"),
        (Load(2000, 1.0, 5, {}), "2,000 users for 5 s"),
        (Load(10, 1.0, None, {"stream_arrivals": "5/s"}), "arrivals 5/s"),
        (Load(2000, 1.5, 5, {"stream_shape": "ramp"}), "shape ramp for 5 s"),
        (Load(None, None, 9, {"stream_shape": "ramp", "stream_arrivals": "poisson"}),
         "arrivals poisson, shape ramp for 9 s"),
    ],
)  # fmt: skip
def test_a_load_is_said_in_words(load, words):
    assert str(load) == words


def test_a_json_body_is_a_value_and_other_bodies_are_data():
    kind = (("Content-Type", "application/json"), ("X-A", "1"))
    keywords = played(written(StreamRequest("http://a/v1/x", "POST", kind, '{"a": [1, null, true]}')))
    assert (keywords["json"], keywords["headers"]) == ("{'a': [1, None, True]}", "{'X-A': '1'}")
    for body in ('{"a": 1.10}', '{"a": 1, "a": 2}', '{"a": NaN}', "a=1", '"text"'):
        found = played(written(StreamRequest("http://a/v1/x", "POST", kind, body)))
        assert ast.literal_eval(found["data"]) == body
        assert "json" not in found
        assert "'Content-Type': 'application/json'" in found["headers"]


def test_streams_in_a_row_are_replayed_with_their_pauses():
    first, second = StreamRequest("http://a/x", end_s=1.5), StreamRequest("https://b/y", begin_s=2.75, end_s=3)
    text = written(first, second, recorded=True)
    assert "        self.read_x()\n        gevent.sleep(1.25)\n        self.read_y()\n" in text
    streams = [arguments for name, arguments, _ in calls(text) if name == "stream"]
    assert streams == [["'GET'", "'/x'"], ["'GET'", "'https://b/y'"]]


def test_streams_that_overlap_are_started_at_their_times():
    first, second = StreamRequest("http://a/x"), StreamRequest("ws://a/x", protocol="websocket", begin_s=0.5)
    text = written(first, second, recorded=True)
    assert (
        "streams.spawn(self.read_x)\n            gevent.sleep(0.5)\n            streams.spawn(self.read_x_2)\n" in text
    )
    assert [keywords.get("protocol") for name, _, keywords in calls(text) if name == "stream"] == [None, "'websocket'"]


def test_headers_that_all_streams_have_are_written_once():
    shared = (("A", "1"), ("B", "2"))
    requests = (StreamRequest("http://a/x", headers=shared), StreamRequest("http://a/y", headers=(*shared, ("C", "3"))))
    found = [keywords["headers"] for name, _, keywords in calls(written(*requests, recorded=True)) if name == "stream"]
    assert found == ["HEADERS", "{**HEADERS, 'C': '3'}"]


@pytest.mark.parametrize(
    ("first", "second"),
    [((("A", "1"), ("B", "2")), None), ((("A", "1"),), (("A", "1"),)), ((("A", "1"), ("B", None)), (("A", "1"),))],
    ids=["one stream", "one field", "a field that is left out"],
)
def test_a_single_stream_or_field_is_not_shared(first, second):
    every = [StreamRequest(f"http://a/{at}", headers=each) for at, each in enumerate((first, second)) if each]
    text = written(*every, recorded=True)
    assert "HEADERS" not in text
    assert [keywords["headers"] for name, _, keywords in calls(text) if name == "stream"] == [
        str(dict(each.headers)) for each in every
    ]


@pytest.mark.parametrize(("pause_s", "line"), [(0.0009, ""), (0.001, "gevent.sleep(0.001)"), (1.2344, "sleep(1.234)")])
def test_a_pause_is_written_in_milliseconds(pause_s, line):
    requests = (StreamRequest("http://a/x", end_s=0.0), StreamRequest("http://a/y", begin_s=pause_s, end_s=9.0))
    text = written(*requests, recorded=True)
    assert (line in text) if line else ("sleep" not in text)


def test_messages_are_sent_with_their_pauses():
    messages = (SentMessage("a"), SentMessage(b"\0", 0.25), SentMessage("b", 0.0001))
    text = written(StreamRequest("ws://a/x", protocol="websocket", messages=messages))
    assert "from streamgauge.load import Pause, StreamUser" in text
    assert played(text)["send"] == "['a', Pause(0.25), b'\\x00', 'b']"


def test_what_opens_doors_in_a_url_is_in_the_host_alone():
    text = written(StreamRequest("http://user:pw@a/x?key=k"))
    assert text.count("pw") == 1
    assert text.count("key=k") == 1


@pytest.mark.parametrize("text", ["a", 'a"b', "a'b", "a'\"b", "\\", "\n", "é\u2028\0", '"""'])
def test_texts_and_values_are_read_back(text):
    assert ast.literal_eval(quoted(text)) == text
    for value in ({text: [text, {text: (text,)}]}, [1.5, None, True, {}, []], {"a": "x" * 100}):
        assert ast.literal_eval(literal(value, 2)) == value
    compile(written(StreamRequest(f"http://a/{text}", headers=((text, text),), body=text)), "x", "exec")


@pytest.mark.parametrize(
    ("path", "user", "method"),
    [
        ("/v1/chat/completions", "ChatCompletions", "read_chat_completions"),
        ("/", "Stream", "read_stream"),
        ("/api/v2/42", "Stream", "read_stream"),
        ("/3d/x-y_z", "Stream3dXYZ", "read_3d_x_y_z"),
        ("/any", "StreamAny", "read_any"),
        ("/none", "StreamNone", "read_none"),
        ("/a/b/c/d/e/f", "ABCD", "read_a_b_c_d"),
    ],
)
def test_names_come_from_the_path(path, user, method):
    assert (class_name(path), method_name(path, [])) == (user, method)
    assert method_name(path, [method, f"{method}_2"]) == f"{method}_3"


def test_json_is_a_value_only_if_it_is_sent_the_same():
    for text in ('{"a": [1, 2.5, "\\u00e9"], "b": {}}', "[]"):
        assert json_value(text) == json.loads(text)
    for text in ("{", "1", '"a"', '{"a": 1.0e2}', '{"a": 1, "a": 1}', "[Infinity]", "[" * 100_000):
        assert json_value(text) is None
