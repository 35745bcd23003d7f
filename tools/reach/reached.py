"""A pytest plugin for mutmut: what the processes of a test file reach is reached by each test of that file.

It is per file because tests share processes: a module's fixture starts one at the first test, and the others read what
it printed. A process that several files share counts for the first of them alone.
"""

import os
import shutil
from collections import defaultdict
from pathlib import Path

import pytest
from mutmut.state import state


class Reached:
    """What is learnt in one session of pytest."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tests: dict[Path, set[str]] = defaultdict(set)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Tell the processes to come where to write: one file for each test file."""
        written = self._folder / item.nodeid.partition("::")[0].replace("/", "-")
        self._tests[written].add(item.nodeid)
        os.environ["MUTANTS_REACHED"] = str(written)

    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """Count fixtures as well: from this time mutmut derives when a test hangs."""
        if call.when == "setup":
            state().duration_by_test[item.nodeid] += call.duration

    def pytest_sessionfinish(self) -> None:
        """Give mutmut what was written."""
        for written, tests in self._tests.items():
            for function in written.read_text().split() if written.exists() else ():
                state().tests_by_mangled_function_name[function] |= tests


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep files together: mutmut sorts tests by duration, and each change of file would start its processes again."""
    first: dict[Path, int] = {}
    for number, item in enumerate(items):
        first.setdefault(item.path, number)
    items.sort(key=lambda item: first[item.path])


def pytest_configure(config: pytest.Config) -> None:
    """Learn only while mutmut does."""
    if os.environ.get("MUTANT_UNDER_TEST") == "stats":
        folder = Path.cwd().parent / "reached"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        config.pluginmanager.register(Reached(folder))
