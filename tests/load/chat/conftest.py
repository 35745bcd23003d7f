"""A process that holds conversations by command lines, for all tests of this folder."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.testbed.server import ROOT


@pytest.fixture(scope="session")
def case():
    """Returns what a case comes to; see talks.py."""
    command = [sys.executable, Path(__file__).with_name("talks.py")]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def outcome(**given):
            print(json.dumps(given), file=process.stdin, flush=True)
            line = process.stdout.readline()
            assert line, "the process that talks has ended: its traceback is above"
            return json.loads(line)

        yield outcome
        process.stdin.close()


@pytest.fixture
def talk(case):
    """Holds conversations by options; each is a list of turns."""

    def conversations(*options, **more):
        found = case(
            options=list(map(str, options)),
            **{name: list(each) if isinstance(each, range) else each for name, each in more.items()},
        )
        assert "value" in found, found
        return found["value"]

    return conversations


@pytest.fixture
def refused(case):
    """The words that refuse options."""

    def words(*options, **more):
        found = case(options=list(map(str, options)), **more)
        assert "said" in found, found
        return found["said"]

    return words


@pytest.fixture
def write(tmp_path):
    """Writes a file of prompts: texts as they are, other values as JSON, one per line."""

    def file(*lines, name="prompts.jsonl"):
        path = tmp_path / name
        path.write_text("\n".join(each if isinstance(each, str) else json.dumps(each) for each in lines))
        return path

    return file
