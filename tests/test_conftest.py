"""Skips, where ``CI`` is set and where it is not: pytest is run as people run it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).with_name("conftest.py")
SKIPS = {
    "a call": "def test_it():\n    pytest.skip('why not')",
    "a mark": "@pytest.mark.skip(reason='why not')\ndef test_it():\n    pass",
    "a condition": "@pytest.mark.skipif(True, reason='why not')\ndef test_it():\n    pass",
    "a fixture": "@pytest.fixture\ndef part():\n    pytest.skip('why not')\n\ndef test_it(part):\n    pass",
    "unittest": "import unittest\n\ndef test_it():\n    raise unittest.SkipTest('why not')",
    "a program": "def test_it(program, monkeypatch):\n    program('why not')",
}
MODULES = {
    "an import": "pytest.importorskip('why_not', reason='why not')\n\ndef test_it():\n    pass",
    "a call": "pytest.skip('why not', allow_module_level=True)\n\ndef test_it():\n    pass",
}
NO_SKIPS = {
    "passed": "def test_it():\n    pass",
    "xfailed": "@pytest.mark.xfail(strict=True, reason='why not')\ndef test_it():\n    assert False",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Runs modules below a copy of the conftest of all tests, with ``CI`` set or not.

    Of the plugins, pytest-timeout alone is loaded: the others take longer than all these tests.
    """

    def run(modules, ci=None):
        folder = tmp_path_factory.mktemp("run")
        shutil.copy(CONFTEST, folder)
        for name, module in modules.items():
            (folder / f"test_{name.replace(' ', '_')}.py").write_text(f"import pytest\n\n{module}\n")
        around = {name: value for name, value in os.environ.items() if name != "CI" and not name.startswith("PYTEST")}
        around["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        command = [sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider", "-p", "pytest_timeout"]
        return subprocess.run(
            [*command, "--continue-on-collection-errors", "--rootdir", folder, folder],
            cwd=folder,
            env=around if ci is None else around | {"CI": ci},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def test_a_skip_fails_where_ci_is_set_and_nowhere_else(run):
    done = run(SKIPS)
    assert (done.returncode, f"= {len(SKIPS)} skipped in" in done.stdout) == (0, True), done.stdout
    done = run(SKIPS, ci="true")
    assert done.returncode == 1, done.stdout
    assert "skipped in" not in done.stdout
    for name in SKIPS:
        (line,) = re.findall(rf"^(?:FAILED|ERROR) test_{name.replace(' ', '_')}\.py::.*", done.stdout, re.MULTILINE)
        assert "no test may be skipped where CI is set: Skipped: why not" in line


def test_a_module_that_is_skipped_is_an_error_where_ci_is_set(run):
    done = run(MODULES)
    assert (done.returncode, f"= {len(MODULES)} skipped in" in done.stdout) == (5, True), done.stdout
    done = run(MODULES, ci="true")
    assert (done.returncode, f"= {len(MODULES)} errors in" in done.stdout) == (1, True), done.stdout
    assert done.stdout.count("no test may be skipped where CI is set: Skipped: why not") >= len(MODULES)


@pytest.mark.parametrize("ci", [None, "true"])
def test_what_is_not_skipped_stays_as_it_is(run, ci):
    done = run(NO_SKIPS, ci)
    assert (done.returncode, "= 1 passed, 1 xfailed in" in done.stdout) == (0, True), done.stdout


def test_a_test_that_hangs_ends_at_its_limit_and_the_others_go_on(run):
    module = "import time\n\n@pytest.mark.timeout(1)\ndef test_it():\n    time.sleep(60)\n\ndef test_other():\n    pass"
    done = run({"hangs": module})
    assert (done.returncode, "1 failed, 1 passed" in done.stdout) == (1, True), done.stdout
    assert "Timeout (>1.0s) from pytest-timeout" in done.stdout
