"""Options that are wrong: named with their value, exit status 2, no traceback, and nothing is started."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from benchmarks.locust_run import run_locust

WRONG = {
    "--stream-end": "foo",
    "--stream-header": "bad",
    "--idle-timeout": "-1",
    "--total-timeout": "soon",
    "--stream-body": "@missing",
    "--stream-path": "events",
    "--stream-method": "G E T",
    "--stream-reconnect": "-1",
    "--stream-accept": "text/ж",
    "--refusal-pause": "long",
    "--proxy": "localhost:3128",
    "--ca-file": "README.md",
    "--client-cert": "missing",
}
VARIABLE = "LOCUST_IDLE_TIMEOUT"
#: Starting Locust is what takes the time.
AT_ONCE = 2


def run(name):
    """A run with one wrong value, in an option or in the environment."""
    option, variables = ((), {VARIABLE: "never"}) if name == VARIABLE else ((f"{name}={WRONG[name]}",), {})
    load = ("--headless", "-H", "http://127.0.0.1:9", "-t", "1s", *option)
    return run_locust("loadtests/sse.py", *load, variables=variables, timeout_s=180)


@pytest.fixture(scope="module")
def runs():
    names = [*WRONG, VARIABLE]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(names, pool.map(run, names), strict=True))


def test_a_host_that_is_none_is_named():
    run = run_locust("loadtests/sse.py", "--headless", "-H", "example.org", "-t", "1s", timeout_s=180)
    assert run.status == 2, run.output
    assert "--host: expected a URL such as http://127.0.0.1:8000, got 'example.org'" in run.output
    assert "Traceback" not in run.output


def test_a_host_that_is_none_is_named_where_a_user_class_has_another(tmp_path):
    locustfile = tmp_path / "scenario.py"
    locustfile.write_text(
        "from loadtests.sse import SseListener as Scenario\n"
        "class Listener(Scenario):\n    host = 'http://127.0.0.1:9'\n"
    )
    run = run_locust(locustfile, "--headless", "-H", "example.org", "-t", "1s", timeout_s=180)
    assert run.status == 2, run.output
    assert "--host: expected a URL such as http://127.0.0.1:8000, got 'example.org'" in run.output


def test_options_that_do_not_go_together_are_named():
    run = run_locust("loadtests/sse.py", "--headless", "-H", "http://x", "--client-key", "README.md", timeout_s=180)
    assert run.status == 2, run.output
    assert "--client-cert, --client-key: a client key ('README.md') needs a client certificate" in run.output
    assert "Traceback" not in run.output


def test_a_path_that_is_no_utf8_is_named():
    run = run_locust("loadtests/sse.py", "--headless", "--stream-path", "/\udcff", "-t", "1s", timeout_s=180)
    assert run.status == 2, run.output
    assert "argument --stream-path: expected UTF-8, got '/\\udcff'" in run.output
    assert "Traceback" not in run.output


def test_a_path_below_no_host_ends_the_run():
    run = run_locust("loadtests/sse.py", "--headless", "-u", "3", "-r", "3", "-t", "600s", timeout_s=180)
    assert run.status == 2, run.output
    assert run.output.count("--host: '/stream/sse' is a path, and no host is set") == 1
    assert "Traceback" not in run.output


@pytest.mark.parametrize(("option", "value"), WRONG.items())
def test_a_bad_option_is_named_with_its_value(runs, option, value):
    run = runs[option]
    assert run.status == 2, run.output
    assert f"argument {option}:" in run.output
    assert repr(value.removeprefix("@")) in run.output
    assert "Traceback" not in run.output


def test_a_bad_value_in_the_environment_is_named_too(runs):
    run = runs[VARIABLE]
    assert run.status == 2, run.output
    assert "--idle-timeout" in run.output
    assert "'never'" in run.output
    assert "Traceback" not in run.output
