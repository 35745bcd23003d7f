"""Forms posted to Locust's web UI: what is refused before Locust reads it, and in which words."""

import json
import re

import pytest

#: The fields that can have several lines, without ``stream``.
WIDE = ("Header", "Body", "Send", "End", "Error", "Chunk", "Slo", "ConnectTo", "Resolve")
#: Locust reads it first, and then it starts nothing: a form that is refused for it was not refused by us.
LOCUSTS = {"user_count": "many"}
READ = "Invalid user_count value: 'many' (must be an integer)"
TOO_LONG = "Run time: expected at most 1e+09 seconds, got "


@pytest.fixture
def post(read):
    """Posts a form, and returns the message and what was logged."""

    def answer(*options, of_user=None, **form):
        found = read(*options, posted={**LOCUSTS, **form}, of_user=of_user)["value"]
        assert found["status"] == 200
        said = json.loads(found["text"])
        assert said["success"] is False
        return said["message"], said["host"], found["logged"]

    return answer


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"host": ""},
        {"host": "http://h"},
        {"host": "<http://h>"},
        {"host": "<>"},
        {"run_time": ""},
        {"run_time": "1000000000"},
        {"run_time": "277777h46m40s"},
        {"run_time": "soon"},
        {"run_time": "0"},
        {"stream_idle_timeout": "", "stream_path": "/a", "stream_insecure": "true"},
    ],
    ids=str,
)
def test_a_form_that_can_be_run_is_left_to_locust(post, form):
    message, *_ = post(**form)
    assert message == READ


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (
            {"stream_idle_timeout": "soon"},
            "--stream-idle-timeout: expected a duration such as 30s, from 0 (no limit) to 1e+09 s, got 'soon'",
        ),
        ({"host": "nonsense"}, "Host: expected a URL such as http://127.0.0.1:8000, got 'nonsense'"),
        (
            {"host": "http://h/#/app"},
            "Host: expected a host without a query (?) or a fragment (#), got 'http://h/#/app': add it to the path",
        ),
        ({"host": "<h"}, "Host: expected a URL such as http://127.0.0.1:8000, got 'h'"),
        *(({"run_time": text}, f"{TOO_LONG}{text!r}") for text in ("1000000001", "277778h", "9" * 400, f"{10**15}h")),
    ],
    ids=lambda each: str(each)[:40],
)
def test_a_form_that_cannot_be_run_is_refused_and_logged_in_the_same_words(post, form, message):
    assert post(**form) == (message, "http://own", f"{message}\n")


def test_an_option_that_the_form_does_not_change_is_checked_with_it(post, authority, tmp_path):
    authority.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    message, *_ = post(f"--stream-client-key={tmp_path / 'key.pem'}", stream_path="/a")
    assert message.startswith("--stream-client-cert, --stream-client-key: a client key ")
    assert post(f"--stream-client-key={tmp_path / 'key.pem'}", stream_client_key="")[0] == READ


def test_the_host_of_a_user_class_counts_where_the_form_has_an_empty_one(post):
    assert post(of_user="nonsense", host="http://h")[0] == READ
    assert post(of_user="nonsense")[0] == READ
    assert post(of_user="nonsense", host="")[0].startswith("Host: expected a URL ")


def test_what_locust_cannot_read_is_refused_with_its_cause(read):
    found = read(posted={"stop_timeout": "soon"})["value"]
    said = json.loads(found["text"])
    assert said == {
        "success": False,
        "message": "Cannot start the run: ValueError: invalid literal for int() with base 10: 'soon'",
        "host": "http://own",
    }
    assert found["logged"].startswith("Cannot start the run\nTraceback ")


def test_the_page_lets_fields_have_several_lines(read):
    found = read(posted=None)["value"]
    assert found["status"] == 200
    (sections,) = re.findall(r"fields \} of (\[.*\])\) \{", found["text"])
    fields = [field for section in json.loads(sections) for field in section["fields"]]
    wide = [field["name"] for field in fields if field["lines"]]
    assert wide == [*(f"stream{name}" for name in WIDE)]
    assert all(field["label"] and field["help"] for field in fields)


@pytest.mark.parametrize("form", [None, {"stream_idle_timeout": "soon"}])
def test_who_is_not_logged_in_is_sent_to_the_login(read, form):
    found = read(posted=form, login=True)["value"]
    assert (found["status"], found["logged"]) == (302, "")
    assert "idle" not in found["text"]
