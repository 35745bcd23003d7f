"""``streamgauge run`` as a user runs it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from streamgauge.demo.sample_app import SampleApp
from streamgauge.runner.interrupt import Interrupt
from streamgauge.runner.ports import Port
from streamgauge.runner.process import Children

CODE = "import sys; sys.argv[0] = 'streamgauge'; from streamgauge.cli import main; main()"
DEADLINE_S = 120


@dataclass
class Done:
    """A run that has ended."""

    status: int
    output: str
    errors: str
    results: Path

    @property
    def result(self) -> dict[str, Any]:
        (found,) = self.results.glob("*/result.json")
        read: dict[str, Any] = json.loads(found.read_text())
        return read

    @property
    def streams(self) -> dict[str, dict[str, Any]]:
        return {each["name"]: each for each in self.result["streams"]}

    def check(self) -> "Done":
        """Check that no stream failed; on a machine that was too busy the run is invalid."""
        told = self.output + self.errors
        assert self.status == (3 if self.result["verdict"]["trust"] == "invalid" else 0), told
        assert {name for each in self.result["streams"] for name in each["outcomes"]} == {"completed"}, told
        return self


Quick = Callable[..., Done]


@pytest.fixture(scope="session")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Quick:
    """Runs ``streamgauge run`` with these arguments to its end, in a pipe of 80 columns."""

    def run(*arguments: object, stdin: str = "", cwd: Path | None = None) -> Done:
        results = tmp_path_factory.mktemp("results")
        words = ("--result-dir", results, *arguments)
        done = subprocess.run(
            [sys.executable, "-c", CODE, "run", *map(str, words)],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
            cwd=cwd,
            env={**os.environ, "COLUMNS": "80"},
        )
        return Done(done.returncode, done.stdout, done.stderr, results)

    return run


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]) -> Iterator[str]:
    """The address of a sample app."""
    with Children() as children:
        log = tmp_path_factory.mktemp("app") / "app.log"
        yield SampleApp(Port(free_port()), Port(free_port()), log, children, Interrupt()).url
