"""Writes the generated dashboards and rules, or says which are stale: ``python -m monitoring.build [--check]``."""

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from monitoring.dashboards import DASHBOARDS
from monitoring.panels import Json
from monitoring.promql import CatalogError
from monitoring.rules import files as rules
from monitoring.rules.plan import Plan
from streamgauge.catalog import CATALOG

GENERATED = Path(__file__).parent / "generated"
_METRIC = re.compile(r"\b(?:stream_(?:server|client)|event_loop|http_server)_\w+")
_SERIES = frozenset(series for metric in CATALOG.values() for series in metric.series)


def queries(dashboard: Json) -> Iterator[tuple[str, str]]:
    """Where each PromQL text of a dashboard stands, and the text: panels' targets and variables."""
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield f"panel {panel['title']!r}", target["expr"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield f"variable {variable['name']!r}", variable["query"]["query"]


def check_metrics(dashboard: Json) -> None:
    """Raises CatalogError when a query names a series that the catalog does not define."""
    for where, text in queries(dashboard):
        for name in _METRIC.findall(text):
            if name not in _SERIES:
                raise CatalogError(f"{dashboard['title']}: {where}: expected a series of the catalog, got {name!r}")


def generate() -> dict[str, str]:
    """Each generated file's name and text. Raises CatalogError."""
    files = {}
    for build in DASHBOARDS:
        dashboard = build()
        check_metrics(dashboard)
        files[f"{dashboard['uid']}.json"] = json.dumps(dashboard, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    return files


def stale(files: Mapping[str, str], folder: Path) -> list[str]:
    """What of the folder differs from the files: changed, missing, or left over."""
    there = {path.name: path.read_text(encoding="utf-8") for path in _alike(files, folder)}
    return sorted(name for name in there.keys() | files.keys() if there.get(name) != files.get(name))


def _alike(files: Mapping[str, str], folder: Path) -> list[Path]:
    """What lies in the folder and ends as the files do: ``.json`` or ``.yml``."""
    endings = {Path(name).suffix for name in files}
    return sorted(path for path in folder.glob("*") if path.suffix in endings)


def write(files: Mapping[str, str], folder: Path) -> None:
    """Makes the folder hold these files, and no other of their kind."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in _alike(files, folder):
        if path.name not in files:
            path.unlink()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def main(argv: list[str] | None = None) -> int:
    """The command. Exit status 0 written or up to date, 1 stale, 2 something names what the catalog lacks."""
    options = _parse(argv)
    try:
        written = [
            (generate(), options.output),
            (rules.generate(Plan(runbooks_url=options.runbooks_url)), options.rules),
        ]
    except CatalogError as error:
        return _say(f"monitoring.build: {error}", 2)
    differing = [folder / name for files, folder in written for name in stale(files, folder)]
    if not options.check:
        for files, folder in written:
            write(files, folder)
        count = sum(len(files) for files, _ in written)
        where = f"{options.output} and {options.rules}"
        return _say(f"monitoring.build: {count} files in {where}, {len(differing)} changed", 0)
    if differing:
        names = ", ".join(map(str, differing))
        return _say(f"monitoring.build: stale: {names}. Run `make dashboards` and commit what it writes.", 1)
    return 0


def _parse(argv: list[str] | None) -> Any:
    parser = argparse.ArgumentParser(prog="python -m monitoring.build", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a generated file is stale")
    parser.add_argument("--output", type=Path, default=GENERATED, metavar="FOLDER", help="where the dashboards are")
    parser.add_argument("--rules", type=Path, default=rules.FOLDER, metavar="FOLDER", help="where the rules are")
    parser.add_argument(
        "--runbooks-url", default=Plan().runbooks_url, metavar="URL", help="what an alert's runbook is found below"
    )
    return parser.parse_args(argv)


def _say(text: str, status: int) -> int:
    (sys.stderr if status else sys.stdout).write(text + "\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
