"""What requests and httpx take as arguments, and what is said of the rest."""

import io

import pytest

from streamgauge.client.http.arguments import Arguments, check_callbacks, no_such_argument, read_arguments
from streamgauge.client.http.request import RequestError

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def read(headers=None, params=None, json=None, data=None, **others):
    found = read_arguments(headers, params, json, data, others)
    assert not others
    return found


@pytest.mark.parametrize(
    ("headers", "found", "removed"),
    [
        (None, {}, ()),
        ({"A": "1", "a": "2"}, {"a": "2"}, ()),
        ([("A", "1"), ["B", b"\xe9"]], {"A": "1", "B": "é"}, ()),
        (iter([(b"A", "1")]), {"A": "1"}, ()),
        ({"Accept": None, "B": "2"}, {"B": "2"}, ("accept",)),
        ([("A", None), ("a", "1")], {"a": "1"}, ()),
    ],
    ids=str,
)
def test_headers_are_a_mapping_or_pairs_and_none_removes_one(headers, found, removed):
    assert read(headers) == Arguments(found, frozenset(removed), None, b"", None)


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"a": 1, "b": None, "c": [2, 3]}, [("a", 1), ("c", [2, 3])]),
        ([("a", 1), ("a", 2)], [("a", 1), ("a", 2)]),
        ("a=1&b", "a=1&b"),
        (b"?a=1", "a=1"),
        ({}, []),
    ],
)
def test_params_are_a_mapping_pairs_or_text(params, found):
    assert read(params=params).params == found


@pytest.mark.parametrize(
    ("data", "body", "fields"),
    [
        ("ü", "ü".encode(), {}),
        (b"a", b"a", {}),
        (bytearray(b"a"), b"a", {}),
        (memoryview(b"a"), b"a", {}),
        (io.BytesIO(b"a"), b"a", {}),
        (io.StringIO("ü"), "ü".encode(), {}),
        ({"a": "1 2", "b": [3, 4], "c": None}, b"a=1+2&b=3&b=4", FORM),
        ([("a", 1), ("a", 2)], b"a=1&a=2", FORM),
        ({}, b"", {}),
    ],
)
def test_data_is_text_bytes_a_file_or_a_form(data, body, fields):
    found = read(data=data)
    assert (found.body, found.headers) == (body, fields)
    if not isinstance(data, io.IOBase):
        assert read(content=data) == found


def test_json_has_its_type_unless_the_headers_say_another_or_none():
    assert read(json=[1]).headers == {"Content-Type": "application/json"}
    assert read({"content-type": "a/b"}, json=[1]).headers["content-type"] == "a/b"
    assert read({"content-type": None}, json=[1]).headers == {}
    assert read(json=[1], data={}).body == b"[1]"


def test_credentials_and_cookies_are_fields_that_headers_may_override():
    found = read({"X": "y"}, auth=("user", "päss"), cookies={"a": 1, "b": None})
    assert found.headers == {"Authorization": "Basic dXNlcjpww6Rzcw==", "Cookie": "a=1", "X": "y"}
    assert read({"Authorization": "mine"}, auth=("u", "p")).headers == {"Authorization": "mine"}


@pytest.mark.parametrize("name", ["allow_redirects", "follow_redirects"])
def test_redirects_may_be_left_alone(name):
    assert (read(**{name: False}).max_redirects, read(**{name: True}).max_redirects) == (0, None)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"headers": {"X": 5}}, "headers: X: expected text or bytes, got 5; use str(…)"),
        ({"headers": {5: "x"}}, "headers: expected a name, got 5"),
        ({"headers": "A: 1"}, "headers: expected a mapping, or pairs of name and value, got str"),
        ({"headers": 5}, "headers: expected a mapping, or pairs of name and value, got int"),
        ({"headers": ["ab"]}, "headers: expected pairs of name and value, got str"),
        ({"params": 5}, "params: expected a mapping, or pairs of name and value, got int"),
        ({"params": ["a"]}, "params: expected a mapping, or pairs of name and value, got list"),
        ({"data": 5}, "data: expected text, bytes, a form or an open file, got int"),
        ({"data": iter([b"a"])}, "data: expected text, bytes, a form or an open file, got list_iterator"),
        ({"data": ["a"]}, "data: expected a mapping, or pairs of name and value, got list"),
        ({"data": "a", "content": "b"}, "content: data= has the body already"),
        ({"auth": "user:password"}, "auth: expected (user, password), got str; use headers= with Authorization"),
        ({"auth": ("user", 5)}, "auth: expected (user, password), got tuple; use headers= with Authorization"),
        ({"cookies": 5}, "cookies: expected a mapping, or pairs of name and value, got int"),
    ],
    ids=str,
)
def test_another_type_is_refused_with_what_was_expected(arguments, words):
    with pytest.raises(TypeError) as caught:
        read(**arguments)
    assert str(caught.value) == words


def test_a_line_break_in_a_secret_is_named_without_the_secret():
    with pytest.raises(RequestError, match=r"headers: Authorization: expected one line, .*strip") as caught:
        read({"Authorization": "Bearer SECRET\n"})
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("name", ["timeout", "verify", "cert", "proxies", "files", "hooks", "catch_response"])
def test_an_argument_of_other_clients_is_refused_with_what_does_the_same(name):
    assert str(no_such_argument("stream", name)).startswith(f"stream() has no argument {name!r}: ")
    assert str(no_such_argument("stream", "foo")) == "stream() has no argument 'foo'"


async def coroutine(_):
    """Nothing awaits it."""


async def generator(_):
    yield


class Callback:
    async def __call__(self, _):
        """Nothing awaits it."""


@pytest.mark.parametrize("callback", [coroutine, generator, Callback()])
def test_an_async_callback_is_refused(callback):
    with pytest.raises(TypeError, match=r"end: expected a plain function, got the async .*, which nothing awaits"):
        check_callbacks(end=callback)


def test_a_callback_must_be_one():
    check_callbacks(on_chunk=print, end="event:done", sequence=None)
    with pytest.raises(TypeError, match="on_chunk: expected a function, got 'print'"):
        check_callbacks(on_chunk="print")
