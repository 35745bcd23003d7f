"""Options that are wrong: named with their value, exit status 2, no traceback, and nothing is started."""

import pytest

from benchmarks.locust_run import run_locust


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--stream-end", "foo"),
        ("--stream-header", "bad"),
        ("--idle-timeout", "-1"),
        ("--total-timeout", "soon"),
        ("--stream-body", "@missing"),
        ("--stream-path", "events"),
        ("--stream-method", "G E T"),
        ("--stream-reconnect", "-1"),
    ],
)
def test_a_bad_option_is_named_with_its_value(option, value):
    run = run_locust("loadtests/sse.py", "--headless", "-H", "http://127.0.0.1:9", "-t", "1s", f"{option}={value}")
    assert run.status == 2, run.output
    assert f"argument {option}:" in run.output
    assert repr(value.removeprefix("@")) in run.output
    assert "Traceback" not in run.output


def test_a_bad_value_in_the_environment_is_named_too():
    variables = {"LOCUST_IDLE_TIMEOUT": "never"}
    run = run_locust("loadtests/sse.py", "--headless", "-H", "http://127.0.0.1:9", "-t", "1s", variables=variables)
    assert run.status == 2, run.output
    assert "--idle-timeout" in run.output
    assert "'never'" in run.output
    assert "Traceback" not in run.output
