"""The sample app as the clients meet it, with keys and without."""

import contextlib
import json
import os
import subprocess
import sys

import pytest

KEY = "a-key-of-sixteen-or-more"


@contextlib.contextmanager
def serving(*arguments):
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
def url():
    with serving() as address:
        yield address


@pytest.fixture(scope="session")
def key():
    return KEY


@pytest.fixture(scope="session")
def guarded_url():
    """Where the key is asked for, and lets two streams in at a time."""
    with serving("--api-key", KEY, "--max-streams-per-client", "2") as address:
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
