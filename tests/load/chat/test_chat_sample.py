"""Real runs of the chat scenario on the sample app, and of one that cannot start."""

import json
import subprocess
import sys

import pytest

from benchmarks.testbed.server import ROOT


@pytest.fixture(scope="module")
def app():
    """The sample app's URL."""
    command = [sys.executable, "-m", "target_app", "--port", "0", "--metrics-port", "0", "--log-level", "error"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        yield json.loads(process.stdout.readline())["url"]
        process.terminate()


def test_without_options_of_its_own_it_asks_the_sample_app(run_locust, app, tmp_path):
    load = ("--headless", "-u", 5, "-r", 100, "-t", "3s", "--metrics-port", "off", "-H", app)
    options = ("--stream-path", "/v1/chat/completions?chunks=12", "--stream-include-usage")
    run = run_locust("loadtests/chat.py", *load, *options, result_dir=tmp_path)
    assert run.status == (3 if run.result["verdict"]["trust"] == "invalid" else 0), run.output
    (streams,) = run.result["streams"]
    assert (streams["name"], streams["protocol"]) == ("chat", "openai")
    completed = streams["outcomes"]["completed"]
    assert completed >= 5
    assert streams["outcomes"] == {"completed": completed}
    assert streams["tokens"] == streams["chunks"] == 12 * completed
    # The sample app counts words: of each sentence of twelve tokens, eleven.
    assert streams["prompt_tokens"] == completed * (200 - 200 // 12)


def test_a_wrong_file_ends_locust_before_a_run_starts(run_locust, write):
    path = write({"prompt": "a"}, {"text": "b"})
    options = ("--headless", "-t", "600s", "-H", "http://127.0.0.1:9", "--chat-prompts", path)
    run = run_locust("loadtests/chat.py", *options)
    assert run.status == 2, run.output
    words = "expected messages, prompt, conversations or input_length"
    assert f'error: argument --chat-prompts: {path}, line 2: {words}, got {{"text": "b"}}\n' in run.output
    assert "Traceback" not in run.output
