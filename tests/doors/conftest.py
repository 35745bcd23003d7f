"""A copy of the tree in which any make target may write and remove, and stubs that say how they were called."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[2]
#: What an outer make gives to the commands that it runs, and what the user of one may have set.
FROM_OUTSIDE = ("ARGS", "HOST", "USERS", "DURATION", "MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS", "PYTHON")
#: Appends its name and its arguments to the file $CALLS, one call a line, then does what the test says.
STUB = """#!/bin/bash
printf '%s' "$(basename "$0")" >> "$CALLS"
printf ' [%s]' "$@" >> "$CALLS"
echo >> "$CALLS"
"""
NOT_COPIED = (".git", ".venv", ".mutants", ".hypothesis", ".coverage", ".*_cache", "__pycache__", "results", "tests")


class Tree:
    """A copy of the tree with a PATH of its own, and the calls that its stubs received."""

    def __init__(self, directory):
        self.directory = directory / "tree"
        self._stubs = directory / "stubs"
        self._calls = directory / "calls"
        self._stubs.mkdir()
        self.environment = {name: value for name, value in os.environ.items() if name not in FROM_OUTSIDE}
        self.environment |= {"PATH": f"{self._stubs}:{os.environ['PATH']}", "CALLS": str(self._calls)}
        shutil.copytree(ROOT, self.directory, ignore=shutil.ignore_patterns(*NOT_COPIED))

    @property
    def bin(self):
        return self.directory / ".venv" / "bin"

    def install(self, stubs=()):
        """Make it look installed: with the programs of these tests, or with stubs of these names."""
        self.bin.parent.mkdir()
        if stubs:
            self.bin.mkdir()
            for name in stubs:
                self.stub(name, folder=self.bin)
        else:
            for name in ("bin", "lib", "pyvenv.cfg"):
                (self.bin.parent / name).symlink_to(Path(sys.prefix) / name)
        (self.bin.parent / ".installed").touch()

    def stub(self, name, then="", folder=None):
        """Put a stub for a program into the PATH or a folder."""
        file = (folder or self._stubs) / name
        file.write_text(STUB + then)
        file.chmod(0o755)
        return file

    def calls(self):
        """What the stubs were called with, since the last question."""
        text = self._calls.read_text() if self._calls.exists() else ""
        self._calls.unlink(missing_ok=True)
        return text.splitlines()

    def do(self, *command, **variables):
        done = subprocess.run(
            list(map(str, command)),
            cwd=self.directory,
            env=self.environment | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return SimpleNamespace(status=done.returncode, out=done.stdout, err=done.stderr)

    def make(self, *arguments, **variables):
        return self.do("make", "--no-print-directory", *arguments, **variables)


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path)
