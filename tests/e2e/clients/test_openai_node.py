"""The openai package for Node.js against the sample app."""

import json
import subprocess

import pytest

pytestmark = pytest.mark.node


@pytest.fixture(scope="module")
def keyed_url(serving, key):
    with serving("--api-key", key) as address:
        yield address


def test_openai_gets_its_answers_and_its_errors(program, node_modules, keyed_url, key, assert_completions):
    command = [program("node"), "completions.mjs", f"{keyed_url}/v1", key]
    found = subprocess.run(command, cwd=node_modules, capture_output=True, text=True, timeout=120, check=False)
    assert found.returncode == 0, found.stderr
    assert_completions(json.loads(found.stdout))
