"""The progress of a run in terminals of several widths."""

import io
import re

import pytest
from rich.console import Console

from streamgauge.report.live_display import Display, Progress

POINT = {"active": 12_345, "chunks": 1_234_567, "chunk_interval": {"p50": 0.05, "p99": 0.0521}}
FIGURES = {"users": "20,000", "streams active": "12,345", "finished": "987,654", "failed": "1,234"}
FIGURES |= {"chunks/s": "1,234,567", "interval p99": "52.1 ms"}


@pytest.fixture
def shown(monkeypatch):
    """What a live display of some width shows, without its colours."""
    monkeypatch.delenv("CI", raising=False)  # where nobody looks at a live display

    def show(width):
        out = io.StringIO()
        monkeypatch.setattr(
            "rich.console.Console", lambda **options: Console(file=out, force_terminal=True, width=width, height=40)
        )
        display = Display(quiet=False)
        display.show_addresses({"sample app": "http://127.0.0.1:8000"}, "the demo ends")
        display.show(Progress("running", 10, 30, 20_000, 987_654, 1_234, POINT))
        frame = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", out.getvalue())
        display.close()
        return frame.splitlines()

    return show


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_each_figure_is_whole_or_not_there(shown, width):
    *_, address, bar, headings, values = shown(width)
    assert address == "sample app  http://127.0.0.1:8000"
    assert re.fullmatch(r"running .* 10 of 30 s", bar)
    present = sorted((heading for heading in FIGURES if heading in headings), key=headings.index)
    assert re.split(r" (?=\d)", " ".join(values.split())) == [FIGURES[heading] for heading in present]
    assert {"users", "finished", "failed"} <= set(present)
    assert max(map(len, (bar, headings, values))) <= width


def test_a_wide_terminal_has_all_figures(shown):
    assert all(heading in shown(80)[-2] for heading in FIGURES)


def test_a_line_names_each_figure_beside_its_number(monkeypatch):
    out = io.StringIO()
    monkeypatch.setattr("rich.console.Console", lambda **options: Console(file=out, width=200))
    display = Display(quiet=False)
    for phase in ("running", "waiting for streams to end"):  # a line is written when another phase begins
        display.show(Progress(phase, 10, 30, 20_000, 987_654, 1_234, POINT))
    figures = ", ".join(f"{heading} {value}" for heading, value in FIGURES.items())
    assert out.getvalue() == f"10 of 30 s, waiting for streams to end: {figures}\n"
