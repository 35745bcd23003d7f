"""The command line, called in this process: none of what these tests call imports Locust."""

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from streamgauge.commands import streamgauge

Call = Callable[..., Result]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Call:
    """Calls ``streamgauge`` with arguments."""
    monkeypatch.delenv("COLUMNS", raising=False)

    def run(*arguments: object) -> Result:
        return CliRunner().invoke(streamgauge, [str(each) for each in arguments], prog_name="streamgauge")

    return run
