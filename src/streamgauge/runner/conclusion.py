"""Conclude a run: compare the server's view with the client's, print the table, write the files."""

import http.client
import sys
from pathlib import Path

from streamgauge.report.agreement import agreement
from streamgauge.report.console import print_table
from streamgauge.report.html import write_report
from streamgauge.report.live_display import Display
from streamgauge.report.result import Result, read_result
from streamgauge.report.server_json import write_view
from streamgauge.report.server_view import ScrapeError, ServerView, server_view
from streamgauge.report.sums import whole_streams
from streamgauge.runner.service import Service
from streamgauge.stats.outcome import Outcome
from streamgauge.verdict.exit_status import ExitStatus


class Conclusion:
    """Concludes the runs on one service, one after another: the last scrape of a run is the first of the next run.

    Without ``app`` there is no server's view.
    """

    def __init__(self, app: Service | None, display: Display) -> None:
        self._app = app
        self._display = display
        self._before = app.scrape() if app else ""

    def conclude(self, run: Path) -> int:
        """Print the run's table and verdict, complete its files, and return its exit status."""
        result = read_result(run)
        view = self._view(self._app, result) if self._app else None
        files = {"result": run / "result.json", "report": write_report(result, run, view)}
        if view is not None:
            files["server's view"] = write_view(view, run)
        print_table(result, view)
        _print_files(files)
        wrong = _unexplained(result, view) if view else []
        if self._app and wrong:
            self._display.warn(
                "Not to be trusted: every stream completed, but client and server counted different totals. Either one "
                f"of them counts wrong, or another client used {self._app.url} too.",
                "\n".join(wrong),
            )
        if wrong:
            return ExitStatus.UNTRUSTED
        return result["verdict"]["exit_code"] or (
            ExitStatus.FAILED if self._app and view is None else ExitStatus.PASSED
        )

    def _view(self, app: Service, result: Result) -> ServerView | None:
        try:
            after = app.scrape_at_rest()
            view = _view_of(result, self._before, after)
        except (OSError, http.client.HTTPException, ScrapeError) as error:
            self._display.warn(f"The server's own view is missing, because its metrics cannot be read: {error}")
            return None
        self._before = after
        return view


def _print_files(files: dict[str, Path]) -> None:
    sys.stdout.write("\n" + "".join(f"  {what:<15}{short(path)}\n" for what, path in files.items()))
    sys.stdout.flush()


def short(path: Path) -> Path:
    """Shorten ``path`` if it lies below the working directory."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _view_of(result: Result, before: str, after: str) -> ServerView:
    """Compute the server's counts between two scrapes, and compare them with the client's totals."""
    view = server_view(before, after)
    view["agreement"] = agreement(result, view)
    return view


def _unexplained(result: Result, view: ServerView) -> list[str]:
    """Return the totals that differ although every stream completed: then one side counts wrong."""
    outcomes = {name for each in whole_streams(result) for name, times in each["outcomes"].items() if times}
    if outcomes - {Outcome.COMPLETED.value}:
        return []
    return [line["text"] for line in view["agreement"] if not line["equal"]]
