"""Queries Prometheus over its HTTP API, as dashboards do."""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TIMEOUT_S = 60.0


class QueryError(RuntimeError):
    """Prometheus refused a query or did not answer."""


@dataclass(frozen=True, slots=True)
class Series:
    """One answer: its labels, and values at times (Unix seconds). An instant answer has one of each."""

    labels: Mapping[str, str]
    times: Sequence[float]
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Prometheus:
    """The server at ``url``, such as ``http://127.0.0.1:9090``. Every method raises QueryError."""

    url: str

    def instant(self, query: str, at_s: float) -> list[Series]:
        """Query one moment; a scalar becomes a series without labels."""
        data = self._get("query", {"query": query, "time": f"{at_s:.3f}"})
        if data["resultType"] == "scalar":
            return [Series({}, [float(data["result"][0])], [float(data["result"][1])])]
        return [Series(each["metric"], [float(each["value"][0])], [float(each["value"][1])]) for each in data["result"]]

    def over(self, query: str, start_s: float, end_s: float, step_s: float) -> list[Series]:
        """Query each step from start to end, both aligned to whole steps as in Grafana."""
        start_s, end_s = start_s // step_s * step_s, end_s // step_s * step_s
        data = self._get("query_range", {"query": query, "start": start_s, "end": end_s, "step": step_s})
        return [
            Series(each["metric"], [float(t) for t, _ in each["values"]], [float(v) for _, v in each["values"]])
            for each in data["result"]
        ]

    def label_values(self, label: str, series: str, start_s: float, end_s: float) -> list[str]:
        """Query the values of a label on these series in this time range."""
        values: list[str] = self._get(
            f"label/{urllib.parse.quote(label)}/values", {"match[]": series, "start": start_s, "end": end_s}
        )
        return values

    def _get(self, path: str, parameters: Mapping[str, Any]) -> Any:
        address = f"{self.url.rstrip('/')}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(address, timeout=TIMEOUT_S) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise QueryError(f"{self.url}: {_message(error)}: {parameters}") from None
        except (OSError, ValueError, KeyError) as error:
            raise QueryError(f"expected a Prometheus at {self.url}, got {error}") from None


def _message(error: urllib.error.HTTPError) -> str:
    """Read Prometheus's own error message, else name the status."""
    try:
        return str(json.load(error)["error"])
    except (ValueError, KeyError, TypeError):
        return f"status {error.code}"
