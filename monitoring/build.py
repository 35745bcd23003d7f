"""Write the generated dashboards and rules, or list the stale ones: ``python -m monitoring.build [--check]``."""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from monitoring import adapt
from monitoring.adapt import Adaptation
from monitoring.dashboards import DASHBOARDS
from monitoring.output import stale, write
from monitoring.panels import Json
from monitoring.promql.text import CatalogError
from monitoring.rules import files as rules
from monitoring.rules.plan import Plan
from streamgauge.catalog import CATALOG

#: The project's own stack.
STACK = Adaptation()
#: Options of another setup: for dashboards and rules, and for rules only.
_OF_DASHBOARDS, _OF_RULES = ("datasource", "prefix", "job"), ("app_job", "runbooks_url")
GENERATED = Path(__file__).parent / "generated"
_METRIC = re.compile(r"\b(?:stream_(?:server|client)|event_loop|http_server)_\w+")
_SERIES = frozenset(series for metric in CATALOG.values() for series in metric.series)


def queries(dashboard: Json) -> Iterator[tuple[str, str]]:
    """Yield the place and text of each query of a dashboard: in panels, variables and annotations."""
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield f"panel {panel['title']!r}", target["expr"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield f"variable {variable['name']!r}", variable["query"]["query"]
    for annotation in dashboard["annotations"]["list"]:
        yield f"annotation {annotation['name']!r}", annotation["expr"]


def check_metrics(dashboard: Json) -> None:
    """Check that queries name only series of the catalog. Raises CatalogError."""
    for where, text in queries(dashboard):
        for name in _METRIC.findall(text):
            if name not in _SERIES:
                raise CatalogError(f"{dashboard['title']}: {where}: expected a series of the catalog, got {name!r}")


def generate(adaptation: Adaptation = STACK) -> dict[str, str]:
    """Generate each dashboard file's name and text. Raises CatalogError."""
    files = {}
    for build in DASHBOARDS:
        dashboard = build()
        check_metrics(dashboard)
        text = json.dumps(adaptation.apply(dashboard), indent=2, sort_keys=True, ensure_ascii=False)
        files[f"{dashboard['uid']}.json"] = text + "\n"
    return files


def main(argv: list[str] | None = None) -> int:
    """Run the command. The exit status is 0, 1 if files are stale, or 2 for a wrong option, dashboard or rule."""
    options = _parse(argv)
    adaptation = Adaptation(options.datasource or "", options.prefix or "", options.job or "")
    try:
        return _write_or_check(
            [(generate(adaptation), options.output), (_rules(options, adaptation), options.rules)], options
        )
    except CatalogError as error:
        return _print(f"monitoring.build: {error}", 2)
    except OSError as error:
        return _print(f"monitoring.build: --output, --rules: expected folders to write to, got {error}", 2)


def _rules(options: Any, adaptation: Adaptation) -> dict[str, str]:
    """Generate each rule file's name and text. Raises CatalogError."""
    chosen = {name: getattr(options, name) for name in _OF_RULES if getattr(options, name) is not None}
    plan = replace(Plan(), **chosen)
    made: dict[str, str] = adaptation.rename(rules.generate(plan))
    return made


def _write_or_check(written: list[tuple[dict[str, str], Path]], options: Any) -> int:
    """Write the files into their folders, or only list those that differ."""
    differing = [folder / name for files, folder in written for name in stale(files, folder)]
    if options.check:
        names = ", ".join(map(str, differing))
        stale_files = f"monitoring.build: stale: {names}. Run `make dashboards` and commit what it writes."
        return _print(stale_files, 1) if differing else 0
    for files, folder in written:
        write(files, folder)
    count = sum(len(files) for files, _ in written)
    where = " and ".join(str(folder) for _, folder in written)
    return _print(f"monitoring.build: {count} files in {where}, {len(differing)} changed", 0)


def _parse(argv: list[str] | None) -> Any:
    parser = argparse.ArgumentParser(prog="python -m monitoring.build", description=__doc__)
    add = parser.add_argument
    add("--check", action="store_true", help="write nothing; exit 1 when a generated file is stale")
    add("--output", type=Path, metavar="FOLDER", help="folder of the dashboards (default: the package's own)")
    add(
        "--rules", type=Path, metavar="FOLDER", help="folder of the rules (default: the package's own, or OUTPUT/rules)"
    )
    add("--datasource", type=adapt.datasource_uid, metavar="UID", help="default data source of the dashboards")
    add("--prefix", type=adapt.prefix, help="prefix of every metric name")
    add("--job", type=adapt.job, metavar="REGEX", help="jobs to choose from in the dashboards")
    add("--app-job", type=adapt.job, metavar="REGEX", help="job whose targets must be up, in the rules")
    add("--runbooks-url", type=adapt.url, metavar="URL", help="address or folder of the runbooks")
    options = parser.parse_args(argv)
    _require_own_folder(parser, options)
    options.rules = options.rules or (options.output / "rules" if options.output else rules.FOLDER)
    options.output = options.output or GENERATED
    return options


def _require_own_folder(parser: argparse.ArgumentParser, options: Any) -> None:
    """Refuse to write files of another setup into the stack's folders."""
    for place, folder, names in (
        ("--output", options.output, _OF_DASHBOARDS),
        ("--output or --rules", options.output or options.rules, _OF_RULES),
    ):
        for name in names if folder is None else ():
            if (value := getattr(options, name)) is not None:
                parser.error(
                    f"argument --{name.replace('_', '-')}: expected {place} FOLDER beside {value!r}, got none: the "
                    "default folder is the stack's"
                )


def _print(text: str, status: int) -> int:
    (sys.stderr if status else sys.stdout).write(text + "\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
