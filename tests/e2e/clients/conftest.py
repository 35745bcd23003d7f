"""The sample app as the clients meet it, with keys and without."""

import contextlib
import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

NODE = Path(__file__).with_name("node")
KEY = "a-key-of-sixteen-or-more"


@contextlib.contextmanager
def _serving(*arguments):
    """The app's address, as long as it runs."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("TARGET_APP_")}
    command = [sys.executable, "-m", "target_app", "--port", "0", "--metrics-port", "0", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=plain)
    try:
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def serving():
    """Serves the app with further options, for a module of tests."""
    return _serving


@pytest.fixture(scope="session")
def url():
    with _serving() as address:
        yield address


@pytest.fixture(scope="session")
def key():
    return KEY


@pytest.fixture(scope="session")
def guarded_url():
    """Where the key is asked for, and lets two streams in at a time."""
    with _serving("--api-key", KEY, "--max-streams-per-client", "2") as address:
        yield address


@pytest.fixture(scope="session")
def assert_all_readings():
    """Asserts of the name, id and data of each event that they are what was asked for, to the end marker."""

    def look(events, chunks):
        assert [name for name, _, _ in events] == ["reading"] * chunks + ["done"]
        assert [number for _, number, _ in events] == [str(n) for n in range(chunks + 1)]
        assert [json.loads(data).get("seq") for _, _, data in events] == [*range(chunks), None]
        assert json.loads(events[-1][2]) == {"chunks": chunks}

    return look


@pytest.fixture(scope="session")
def node_modules(program, tmp_path_factory):
    """A folder with what ``node`` has, and its dependencies, installed as this machine's npm is set up."""
    npm, folder = program("npm"), tmp_path_factory.mktemp("node")
    shutil.copytree(NODE, folder, dirs_exist_ok=True)
    quiet = ("--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--no-update-notifier")
    subprocess.run([npm, "install", *quiet], cwd=folder, check=True, timeout=250, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def serve_pages():
    """Serves a folder to browsers, each time at an origin of its own."""
    with contextlib.ExitStack() as stack:

        def serve(folder):
            handler = functools.partial(_QuietHandler, directory=folder)
            server = stack.enter_context(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler))
            threading.Thread(target=server.serve_forever, daemon=True).start()
            stack.callback(server.shutdown)
            return f"http://127.0.0.1:{server.server_port}"

        yield serve


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Log nothing."""


@pytest.fixture(scope="session")
def assert_completions():
    """Asserts of what ``completions.mjs`` found that it is what was asked for.

    A browser, and Node, drop at a reset what a page has not read by then, however long it has been there.
    """

    def look(found):
        assert found["null_is_no_stream"] == ["chat.completion", "application/json"]
        assert (len(found["streamed"]["tokens"]), found["whole"]["tokens"]) == (8, 8)
        assert "".join(found["streamed"]["tokens"]) == found["whole"]["text"]
        assert found["streamed"] | {"tokens": 8} == {"tokens": 8, "reason": "stop", "usage": None, "error": None}
        assert found["with_usage"]["usage"] == {"prompt_tokens": 5, "completion_tokens": 8, "total_tokens": 13}
        assert (len(found["limited"]["tokens"]), found["limited"]["reason"]) == (3, "length")
        assert len(found["failed"]["tokens"]) == 3
        cut = found["cut"]["tokens"]
        assert cut == found["failed"]["tokens"][: len(cut)]
        assert "failed at chunk 3" in found["failed"]["error"]
        assert found["cut"]["error"]
        assert (found["wrong_body"]["name"], found["wrong_body"]["status"]) == ("BadRequestError", 400)
        assert (found["wrong_knob"]["name"], found["wrong_knob"]["status"]) == ("UnprocessableEntityError", 422)
        assert (found["wrong_key"]["name"], found["wrong_key"]["status"]) == ("AuthenticationError", 401)

    return look
