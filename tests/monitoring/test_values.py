"""Each panel's query, asked of a real Prometheus, gives the number that title, legend and unit promise."""

import contextlib
import re
import subprocess
import time

import pytest

from monitoring.dashboards import DASHBOARDS
from tests.monitoring.made_up import BASE, CALM, NEW, NOW_S, RANGE_S, RATE_S, SHIFT_S
from tests.monitoring.meanings import DATA, compared, finished, meant
from tools.preview.prometheus import Prometheus, QueryError

BUILT = [build() for build in DASHBOARDS]
SHOWN = [(board["uid"], panel) for board in BUILT for panel in board["panels"] if panel["type"] != "row"]
DEADLINE_S = 60
CHOSEN = {
    "${shift}": str(SHIFT_S),
    "$__rate_interval": f"{RATE_S}s",
    "$__range": f"{RANGE_S}s",
    "$ttfc_slo": "0.25",
    "$interval_slo": "0.5",
    "$base": BASE,
    "$new": NEW,
}
COMPARED = {
    "SLO rules": ("slo_passed", ("rule",), "none"),
    "Times": ("seconds", ("name", "protocol", "metric", "stat"), "s"),
    "Counts": ("counts", ("name", "protocol", "metric"), "short"),
    "Per second": ("per_second", ("name", "protocol", "metric"), "short"),
    "Shares": ("ratio", ("name", "protocol", "metric"), "short"),
    "Body bytes": ("body_bytes", ("name", "protocol"), "bytes"),
}
FINISHED_UNITS = {"Run length": "s", "Warm-up": "s", "Steady": "s", "Chunks/s": "count:chunks/s"}


@pytest.fixture(scope="module")
def source(program, free_port, tmp_path_factory):
    """A Prometheus with all made-up series, that scrapes nothing."""
    folder = tmp_path_factory.mktemp("made-up")
    with (folder / "series.txt").open("w") as file:
        file.writelines(DATA.open_metrics())
    load = [program("promtool"), "tsdb", "create-blocks-from", "openmetrics", folder / "series.txt", folder / "data"]
    subprocess.run(load, check=True, capture_output=True, timeout=120)
    (folder / "empty.yml").write_text("global: {}\n")
    at = f"127.0.0.1:{free_port()}"
    command = [program("prometheus"), f"--config.file={folder / 'empty.yml'}", f"--web.listen-address={at}"]
    command += [f"--storage.tsdb.path={folder / 'data'}", "--storage.tsdb.retention.time=100y"]
    with (folder / "log").open("w") as log, subprocess.Popen(command, stderr=log) as process:
        try:
            prometheus = Prometheus(f"http://{at}")
            wait_until_it_answers(prometheus, process, folder / "log")
            yield prometheus
        finally:
            process.terminate()


def wait_until_it_answers(prometheus, process, log):
    deadline_s = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline_s and process.poll() is None:
        with contextlib.suppress(QueryError):
            prometheus.instant("1", NOW_S)
            return
        time.sleep(0.05)
    raise AssertionError(log.read_text())


def asked(source, query, jobs="app|load|prometheus"):
    """The answer, a second after the last sample, by its labels."""
    query = query.replace("$job", jobs)
    for name, value in CHOSEN.items():
        query = query.replace(name, value)
    return {
        frozenset((k, v) for k, v in each.labels.items() if k != "__name__"): each.values[-1]
        for each in source.instant(re.sub(r"\$[a-z]\w*", ".+", query), NOW_S + 1)
    }


def lines():
    """Of each chart, stat and heatmap each query, with the words that are read beside its number."""
    for board, panel in SHOWN:
        if panel["type"] != "table" and "result_info" not in panel["targets"][0]["expr"]:
            for target in panel["targets"]:
                text = panel["title"] + (f", {target['legendFormat']}" if target["legendFormat"] else "")
                unit = panel["fieldConfig"]["defaults"]["unit"]
                if panel["type"] == "heatmap":
                    assert panel["options"]["yAxis"]["unit"] == unit
                yield board, text, unit, re.findall(r"{{(\w+)}}", target["legendFormat"]), target["expr"]


def columns():
    """Of each table each query, with its heading and unit."""
    for board, panel in SHOWN:
        if panel["type"] == "table":
            headings = panel["transformations"][1]["options"]["renameByName"]
            units = {
                each["matcher"]["options"]: next(p["value"] for p in each["properties"] if p["id"] == "unit")
                for each in panel["fieldConfig"]["overrides"]
            }
            labels = [label for label in headings if not label.startswith("Value")]
            for target in panel["targets"]:
                key = "Value" if len(panel["targets"]) == 1 else f"Value #{target['refId']}"
                yield board, panel["title"], headings[key], units[headings[key]], labels, target["expr"]


@pytest.mark.parametrize(
    ("board", "text", "unit", "labels", "query"),
    [pytest.param(*each, id=f"{each[0]}: {each[1]}") for each in lines()],
)
def test_a_line_shows_the_number_that_its_words_promise(source, board, text, unit, labels, query):
    expected_unit, expected = meant(board, text, labels)
    assert unit == expected_unit
    jobs = {"jobs": CALM["job"]} if text.startswith("Budget") else {}
    assert asked(source, query, **jobs) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("board", "title", "heading", "unit", "labels", "query"),
    [pytest.param(*each, id=f"{each[0]}: {each[1]}, {each[2]}") for each in columns()],
)
def test_a_column_shows_the_number_that_its_heading_promises(source, board, title, heading, unit, labels, query):
    if title in COMPARED:
        name, by, unit_of_runs = COMPARED[title]
        expected = compared(name, by, heading)
        expected_unit = "none" if heading == "Ratio" else unit_of_runs
        assert set(labels) == set(by)
    elif title == "Finished runs":
        expected, expected_unit = finished(heading), FINISHED_UNITS.get(heading, "short")
    else:
        expected_unit, expected = meant(board, heading, labels)
    assert unit == expected_unit
    assert asked(source, query) == pytest.approx(expected)
