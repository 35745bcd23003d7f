"""Writes and reads ``server.json``, the server's own view of a run, beside its result."""

import json
from pathlib import Path
from typing import cast

from streamgauge.report.result import ResultError
from streamgauge.report.server_view import ServerView

FILE_NAME = "server.json"


def write_view(view: ServerView, directory: Path) -> Path:
    """Write the view to ``directory``, whole or not at all, and return its path."""
    path = directory / FILE_NAME
    unfinished = path.with_suffix(".json.part")
    unfinished.write_text(json.dumps(view, indent=1, allow_nan=False) + "\n")
    return unfinished.rename(path)


def read_view(directory: Path) -> ServerView | None:
    """Read the view in ``directory``; None if there is none. Raises ResultError if it cannot be read."""
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
