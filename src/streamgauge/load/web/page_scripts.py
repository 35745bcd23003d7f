"""Adds scripts of ours to the page of Locust's web UI."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from locust.web import WebUI

_INDEX = "locust.index"


def add_script(web_ui: WebUI, file: str, **texts: str) -> None:
    """Add the script ``file`` of this folder to the page; each of ``texts`` replaces its quoted name in it."""
    assert web_ui.app is not None
    views = web_ui.app.view_functions
    views[_INDEX] = _with_script(views[_INDEX], _script(file, tuple(texts.items())))


def _with_script(index: Callable[[], Any], script: str) -> Callable[[], Any]:
    def page() -> Any:
        found = index()
        return found.replace("</body>", f"<script>{script}</script></body>") if isinstance(found, str) else found

    return page


@cache
def _script(file: str, texts: tuple[tuple[str, str], ...]) -> str:
    script = Path(__file__).with_name(file).read_text(encoding="utf-8")
    for name, text in texts:
        script = script.replace(f'"{name}"', text)
    return script
