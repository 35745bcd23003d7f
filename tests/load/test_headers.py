"""``--stream-header`` from every place that an option can come from: several headers, whose values may hold commas."""

import pytest

FIRST, SECOND = 'X-One: a, b; "c"', "X-Two: 2"
EXPECTED = {"x-one": 'a, b; "c"', "x-two": "2"}
NAME = "LOCUST_STREAM_HEADER"


def option(directory):
    return ("--stream-header", FIRST, "--stream-header", SECOND), {}


def lines_of_an_option(directory):
    return (f"--stream-header={FIRST}\n{SECOND}",), {}


def lines_of_the_environment(directory):
    return (), {NAME: f"{FIRST}\n{SECOND}"}


def option_over_environment(directory):
    return (f"--stream-header={FIRST}", f"--stream-header={SECOND}"), {NAME: "X-One: other"}


def toml(directory):
    return (
        "--config",
        written(directory / "locust.toml", f"[tool.locust]\nstream-header = ['{FIRST}', '{SECOND}']"),
    ), {}


def toml_lines(directory):
    text = f"[tool.locust]\nstream-header = '''\n{FIRST}\n{SECOND}\n'''"
    return ("--config", written(directory / "locust.toml", text)), {}


def several_in_brackets(directory):
    """ConfigArgParse's own form of a list, which it splits at commas."""
    return (), {NAME: "[X-One: a, X-Two: 2]"}


def written(path, text):
    path.write_text(text)
    return path


PLACES = (option, lines_of_an_option, lines_of_the_environment, option_over_environment, toml, toml_lines)


@pytest.mark.parametrize("place", [*PLACES, several_in_brackets], ids=lambda place: place.__name__)
def test_each_header_is_sent(start, recorder, tmp_path, place):
    options, variables = place(tmp_path)
    running = start.headless(recorder.url, *options, users=1, run_time="1s", variables=variables)
    done = running.wait()
    assert recorder.requests, done.output
    fields = recorder.requests[0]["headers"]
    expected = EXPECTED | ({"x-one": "a"} if place is several_in_brackets else {})
    assert {name: fields.get(name) for name in EXPECTED} == expected
