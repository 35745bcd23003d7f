"""The server's own view of a run, kept as ``server.json`` beside its result."""

import json
from pathlib import Path
from typing import cast

from streamgauge.report.agreement import agreement
from streamgauge.report.result import Result, ResultError
from streamgauge.report.server_view import ServerView, server_view
from streamgauge.stats.outcome import Outcome

FILE_NAME = "server.json"


def view_of(result: Result, before: str, after: str) -> ServerView:
    """What the server counted between two scrapes, compared with the client's totals."""
    view = server_view(before, after)
    view["agreement"] = agreement(result, view)
    return view


def write_view(view: ServerView, directory: Path) -> Path:
    """Write it, whole or not at all."""
    path = directory / FILE_NAME
    unfinished = path.with_suffix(".json.part")
    unfinished.write_text(json.dumps(view, indent=1, allow_nan=False) + "\n")
    return unfinished.rename(path)


def read_view(directory: Path) -> ServerView | None:
    """The view in ``directory``, if there is one. Raises ResultError where it cannot be read."""
    path = directory / FILE_NAME
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ResultError(f"{str(path)!r} cannot be read as JSON: {error}") from None
    if not isinstance(found, dict) or not {"routes", "agreement"} <= found.keys():
        raise ResultError(f"{str(path)!r}: expected the server's view of a run, got {str(found)[:40]!r}")
    return cast("ServerView", found)


def unexplained(result: Result, view: ServerView) -> list[str]:
    """Totals that differ although every stream completed: then one side counts wrong."""
    outcomes = {name for each in result["streams"] for name, times in each["outcomes"].items() if times}
    if outcomes - {Outcome.COMPLETED.value}:
        return []
    return [line["text"] for line in view["agreement"] if not line["equal"]]
