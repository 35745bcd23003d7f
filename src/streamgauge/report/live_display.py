"""Show the user the phases and the progress of a run, live or as a line every few seconds."""

import logging
import os
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from streamgauge.report.columns import Column, Table
from streamgauge.report.result import TimelinePoint
from streamgauge.report.terminal import print_lines, styled, wrapped
from streamgauge.report.units import NONE, duration, number, rate

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live
    from rich.text import Text

#: Without a terminal, a line is printed this often.
LINE_EVERY_S = 5.0
#: At most this many SLO rules that fail so far are named.
_MOST_RULES = 3
#: If the terminal is too narrow, the figures with the lowest number are left out first.
_IMPORTANCE = {
    "failed": 7,
    "dropped": 6,
    "late": 5,
    "finished": 4,
    "streams active": 3,
    "interval p99": 2,
    "chunks/s": 1,
}
#: The figures that are red unless they are 0.
_BAD = ("failed", "dropped")


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a run, as it is shown."""

    phase: str
    elapsed_s: float
    run_time_s: float | None
    """None for a run that lasts until it is stopped."""
    users: int | None
    """None if no number of users was asked for."""
    finished: int | None
    failed: int | None
    """None if nothing is known of the run yet, as of ``finished``."""
    latest: TimelinePoint | None
    late_and_dropped: tuple[int, int] | None = None
    """The arrivals of an open model that started late, and those that were dropped; None in the closed model."""
    rules: str = ""
    """How the SLO rules stand; empty without rules."""
    failing: tuple[str, ...] = ()
    """The rules that fail so far, with what was observed."""

    @property
    def figures(self) -> list[tuple[str, str]]:
        """Each figure and its heading; the figures of the last second are unknown before the first second."""
        latest = self.latest
        return [
            (NONE if self.users is None else number(self.users), "users"),
            (number(latest["active"]) if latest else NONE, "streams active"),
            (NONE if self.finished is None else number(self.finished), "finished"),
            (NONE if self.failed is None else number(self.failed), "failed"),
            *self._arrivals(),
            (rate(latest["chunks"]) if latest else NONE, "chunks/s"),
            (_interval_p99(latest) if latest else NONE, "interval p99"),
        ]

    def _arrivals(self) -> list[tuple[str, str]]:
        if self.late_and_dropped is None:
            return []
        late, dropped = self.late_and_dropped
        return [(number(late), "late"), (number(dropped), "dropped")]


def _interval_p99(point: TimelinePoint) -> str:
    """Format the p99 of the chunk interval; mark it if coalesced chunks make it uncertain."""
    uncertain = "p99" in point.get("uncertain", {}).get("chunk_interval", {})
    return ("≈" if uncertain else "") + duration(point["chunk_interval"]["p99"])


class Display:
    """Writes progress to standard error, so that standard output holds the results alone."""

    def __init__(self, *, quiet: bool, line_every_s: float = LINE_EVERY_S) -> None:
        from rich.console import Console

        self._console: Console = Console(stderr=True, highlight=False)
        self._quiet, self._line_every_s = quiet, line_every_s
        self._addresses: dict[str, str] = {}
        self._live: Live | None = None
        self._kind = ""
        self._line_at_s = 0.0

    def say(self, text: str) -> None:
        """Print a phase, or a fact about it, unless quiet."""
        if not self._quiet:
            self._print(text)

    def show_addresses(self, addresses: dict[str, str], until: str) -> None:
        """Show addresses, in the live display or, without one, as a line that ends with ``until``."""
        self._addresses |= addresses
        if not self._shows_live:
            self.say(", ".join(f"{what} {url}" for what, url in addresses.items()) + f" (until {until})")

    def warn(self, text: str, detail: str = "") -> None:
        """Print a warning, even if quiet, with ``detail`` unchanged below it."""
        self._print(text, "bold red")
        for line in detail.splitlines():
            print_lines(self._console, [styled((f"  {line}", "dim"))])

    def _print(self, text: str, style: str = "") -> None:
        words = styled((text, style))
        print_lines(self._console, wrapped(words, self._console.width) if self._console.is_terminal else [words])

    @property
    def _shows_live(self) -> bool:
        return self._console.is_terminal and not self._console.is_dumb_terminal and not os.environ.get("CI")

    def show(self, progress: Progress) -> None:
        """Show the current progress of the run."""
        if self._quiet:
            return
        if self._shows_live:
            self._show_live(progress)
        elif self._line_is_due(progress.phase.partition(" ")[0]):
            self.say(_line(progress))

    def _line_is_due(self, kind: str) -> bool:
        """Whether a line is due: every few seconds, and when another kind of phase begins."""
        now_s = time.monotonic()
        if kind == self._kind and now_s - self._line_at_s < self._line_every_s:
            return False
        begins, self._kind, self._line_at_s = not self._kind, kind, now_s
        return not begins

    def _show_live(self, progress: Progress) -> None:
        if self._live is None:
            from rich.live import Live

            # No thread for refreshing, since this process forks others.
            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            before = sys.stderr
            self._live.start()
            _log_to(before, sys.stderr)  # above the live display instead of across it
        self._live.update(_panel(progress, self._addresses, self._console.width), refresh=True)

    def close(self) -> None:
        """Remove the live display."""
        if self._live is not None:
            during = sys.stderr
            self._live.stop()
            _log_to(during, sys.stderr)
            self._live = None


def _log_to(before: TextIO, now: TextIO) -> None:
    """Let all log handlers that write to one stream write to another."""
    known = [logging.getLogger(), *map(logging.getLogger, list(logging.root.manager.loggerDict))]
    for handler in {handler for logger in known for handler in logger.handlers}:
        if isinstance(handler, logging.StreamHandler) and handler.stream is before:
            handler.setStream(now)


def _clock(progress: Progress) -> str:
    if progress.run_time_s is None:
        return duration(int(progress.elapsed_s))
    return f"{min(progress.elapsed_s, progress.run_time_s):.0f} of {progress.run_time_s:.0f} s"


def _line(progress: Progress) -> str:
    figures = ", ".join(f"{what} {value}" for value, what in progress.figures)
    return f"{_clock(progress)}, {progress.phase}: {figures}" + "".join(f"; {each}" for each in _rules(progress))


def _rules(progress: Progress) -> list[str]:
    """Return how the SLO rules stand, and the first of those that fail so far; nothing without rules."""
    if not progress.rules:
        return []
    shown = progress.failing[:_MOST_RULES]
    more = len(progress.failing) - len(shown)
    return [progress.rules, *(f"✗ {each}" for each in shown), *([f"and {more} more"] if more else [])]


def _panel(progress: Progress, addresses: dict[str, str], width: int) -> "RenderableType":
    from rich.console import Group

    where = [styled((f"{what}  ", "dim"), url) for what, url in addresses.items()]
    return Group("", *where, _bar(progress), *_figures(progress, width), *_rule_lines(progress, width))


def _rule_lines(progress: Progress, width: int) -> "list[Text]":
    style = "red" if progress.failing else "dim"
    return [line for words in _rules(progress) for line in wrapped(styled((words, style)), width)]


def _bar(progress: Progress) -> "RenderableType":
    from rich.progress_bar import ProgressBar
    from rich.table import Table as RichTable

    bar = RichTable.grid(padding=(0, 1, 0, 0), expand=True)
    bar.add_column(no_wrap=True)
    bar.add_column(ratio=1)
    bar.add_column(no_wrap=True, justify="right")
    total_s = progress.run_time_s
    done = ProgressBar(total=total_s, completed=min(progress.elapsed_s, total_s or 0), pulse=total_s is None)
    done.complete_style, done.finished_style = "cyan", "green"
    bar.add_row(progress.phase, done, _clock(progress))
    return bar


def _figures(progress: Progress, width: int) -> "list[Text]":
    (users, what), *others = progress.figures
    table = Table(what, [Column(heading, _IMPORTANCE[heading]) for _, heading in others])
    table.add(
        users,
        [styled((value, "red" if heading in _BAD and value not in ("0", NONE) else "")) for value, heading in others],
    )
    heading_line, _, values = table.fit(width).lines
    return [heading_line, values]
