"""Adapts dashboards to another setup: data source, prefix of metric names, jobs."""

import argparse
import re
from dataclasses import dataclass
from typing import Any

from monitoring.panels import Json
from monitoring.promql.runs import CHOSEN_RUNS
from monitoring.promql.text import label_values, narrowed, quoted
from streamgauge.catalog import CATALOG

_FAMILIES = frozenset(CATALOG) | {series for metric in CATALOG.values() for series in metric.series}
_NAMES = re.compile(rf"\b(?:{'|'.join(sorted(_FAMILIES, key=len, reverse=True))})\b")


@dataclass(frozen=True, slots=True)
class Adaptation:
    """The differences from the stack. An empty field changes nothing."""

    datasource_uid: str = ""
    prefix: str = ""
    job: str = ""

    def __bool__(self) -> bool:
        return bool(self.datasource_uid or self.prefix or self.job)

    def apply(self, dashboard: Json) -> Json:
        """Adapt a dashboard."""
        made: Json = self.rename(dashboard)
        for variable in made["templating"]["list"]:
            if variable["type"] == "datasource" and self.datasource_uid:
                variable["current"] = {"selected": True, "text": self.datasource_uid, "value": self.datasource_uid}
            if variable["name"] == "job" and self.job:
                variable["allValue"] = self.job
            if variable["name"] in ("job", "run") and self.job:
                variable["query"]["query"] = self._of_jobs(variable["query"]["query"])
        for annotation in made["annotations"]["list"] if self.job else ():
            annotation["expr"] = annotation["expr"].replace(CHOSEN_RUNS, narrowed(CHOSEN_RUNS, self._matcher))
        return made

    def rename(self, value: Any) -> Any:
        """Add the prefix to every metric of the catalog in these texts."""
        if isinstance(value, str):
            return _NAMES.sub(lambda match: self.prefix + match[0], value)
        if isinstance(value, dict):
            return {key: self.rename(item) for key, item in value.items()}
        return [self.rename(item) for item in value] if isinstance(value, list) else value

    @property
    def _matcher(self) -> str:
        return f"job=~{quoted(self.job)}"

    def _of_jobs(self, query: str) -> str:
        """Restrict ``label_values(SERIES, label)`` to these jobs."""
        series, label = query.removeprefix("label_values(").removesuffix(")").rsplit(", ", 1)
        return label_values(narrowed(series, self._matcher), label)


def datasource_uid(text: str) -> str:
    """Parse a data source's uid, as Grafana accepts it."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", text):
        raise argparse.ArgumentTypeError(f"expected a uid of 1 to 40 letters, digits, - and _, got {text!r}")
    return text


def prefix(text: str) -> str:
    """Parse a prefix of metric names."""
    if not re.fullmatch(r"[A-Za-z_:][A-Za-z0-9_:]*", text):
        raise argparse.ArgumentTypeError(f"expected the beginning of a metric's name, such as acme_, got {text!r}")
    return text


def url(text: str) -> str:
    """Parse the address or folder of the runbooks, without the slash at its end."""
    if not re.fullmatch(r"[^\s{}]+", text):
        raise argparse.ArgumentTypeError(f"expected an address without spaces and braces, got {text!r}")
    return text.rstrip("/")


def job(text: str) -> str:
    """Parse a regular expression for job names."""
    try:
        re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"expected a regular expression, got {text!r}: {error}") from None
    if not text or "$" in text:
        raise argparse.ArgumentTypeError(f"expected a regular expression without $, got {text!r}")
    return text
