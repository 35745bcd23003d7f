"""Benchmarks as a page of bar charts: one HTML file that needs no network, or a picture of it."""

import html
import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.roster import CLIENTS
from streamgauge.report.charts import COLOURS, Figure

_GROUP_COLOURS = {"floor": "#8a8f98", "engine": COLOURS[0], "locust": COLOURS[1], "other": COLOURS[4]}
_WIDTH, _ROW, _FRAME = 980, 30, 130
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>body{{font:15px/1.5 system-ui,sans-serif;max-width:{width}px;margin:24px auto;color:#222;background:#fff}}
h1{{font-size:22px}}p{{color:#555}}</style><h1>{title}</h1><p>{about}</p>
{places}<script>{plotly}</script><script>const figures={figures};
for(const [id,f] of Object.entries(figures))Plotly.newPlot(id,f.data,f.layout,{{displayModeBar:false,responsive:true}});
</script></html>"""


def problem(path: Path) -> str:
    """Why no chart can be written to ``path``; empty where it can."""
    if path.suffix not in (".html", ".png"):
        return f"expected a name that ends in .html or .png, got {str(path)!r}"
    if path.suffix == ".png" and _browser() is None:
        return f"{str(path)!r}: a picture needs Chromium, which is not installed; .html needs nothing"
    return ""


def write(report: dict[str, Any], path: Path) -> None:
    """Draw the report's summary."""
    draw("streamgauge beside other readers of event streams", _about(report), charts(report["summary"]), path)


def draw(title: str, about: str, figures: dict[str, Figure], path: Path) -> None:
    """Write ``figures``, one below the other, as a page or a picture of it."""
    page = _PAGE.format(
        width=_WIDTH,
        title=html.escape(title),
        about=html.escape(about),
        places="".join(f'<div id="{key}"></div>' for key in figures),
        plotly=_plotly(),
        figures=json.dumps(figures).replace("<", r"\u003c"),
    )
    if path.suffix == ".html":
        path.write_text(page, encoding="utf-8")
    else:
        _photograph(page, path, sum(each["layout"]["height"] for each in figures.values()) + 220)


def charts(summary: dict[str, Any]) -> dict[str, Figure]:
    """For each load CPU time and error by client; the same where each was saturated."""
    found = {}
    for load in summary["loads"]:
        where = "on a busy reader" if load["backlog"] else f"at {load['title']}"
        key = "busy" if load["backlog"] else f"{load['rate']:g}"
        found[f"cost-{key}"] = _costs(load["clients"], f"CPU time a chunk {where}, µs (least–most)")
        found[f"error-{key}"] = _errors(load["clients"], f"Error of a chunk's time {where}: ● p50, ◆ p99")
    if saturated := summary.get("saturated"):
        found["error-saturated"] = _errors(saturated, "Error of a chunk's time, each reader saturated: ● p50, ◆ p99")
    return {key: figure for key, figure in found.items() if figure["data"][0]["x"]}


def _costs(clients: dict[str, Any], title: str) -> Figure:
    shown = sorted(clients.items(), key=lambda item: -item[1]["cpu_s_per_chunk"]["median"])
    cost = [each["cpu_s_per_chunk"] for _, each in shown]
    middle = [value["median"] * 1e6 for value in cost]
    trace = {
        "type": "bar",
        "orientation": "h",
        "y": [CLIENTS[name].title for name, _ in shown],
        "x": middle,
        "text": [f"{value:.1f}" for value in middle],
        "textposition": "inside",
        "insidetextanchor": "start",
        "marker": {"color": [_GROUP_COLOURS[CLIENTS[name].group] for name, _ in shown]},
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [(value["max"] - value["median"]) * 1e6 for value in cost],
            "arrayminus": [(value["median"] - value["min"]) * 1e6 for value in cost],
            "color": "#444",
            "thickness": 1.2,
        },
    }
    return {"data": [trace], "layout": layout(title, len(shown), {"rangemode": "tozero", "ticksuffix": " µs"})}


def _errors(clients: dict[str, Any], title: str) -> Figure:
    shown = [(name, each["error"]) for name, each in reversed(clients.items()) if each["error"]["p50"]]
    traces = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": quantile,
            "y": [CLIENTS[name].title for name, _ in shown],
            "x": [max(error[quantile]["median"], 1e-7) for _, error in shown],
            "marker": {
                "size": 11,
                "symbol": symbol,
                "color": [_GROUP_COLOURS[CLIENTS[name].group] for name, _ in shown],
            },
        }
        for quantile, symbol in (("p50", "circle"), ("p99", "diamond"))
    ]
    axis = {"type": "log", "tickformat": "~s", "ticksuffix": "s", "dtick": 1}
    return {"data": traces, "layout": layout(title, len(shown), axis) | {"showlegend": False}}


def layout(title: str, rows: int, axis: Figure) -> Figure:
    return {
        "title": {"text": title, "x": 0, "xanchor": "left", "font": {"size": 16}},
        "height": rows * _ROW + _FRAME,
        "margin": {"l": 10, "r": 20, "t": 60, "b": 40},
        "xaxis": {"gridcolor": "#ddd", "zeroline": False, **axis},
        "yaxis": {"automargin": True, "ticks": "outside", "tickcolor": "#fff", "ticklen": 6},
        "plot_bgcolor": "#fff",
        "bargap": 0.3,
    }


def _about(report: dict[str, Any]) -> str:
    machine, options = report["machine"], report["options"]
    return (
        f"{report['started_at']} · {machine['cpu']}, {machine['cores']} cores · {machine['kernel']} · Python "
        f"{machine['python']} · {options['streams']} streams, {options['seconds']:g} s, "
        f"median of {options['rounds']} rounds"
    )


def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


def _browser() -> str | None:
    return next((found for name in _BROWSERS if (found := shutil.which(name))), None)


def _photograph(page: str, path: Path, height: int) -> None:
    browser = _browser()
    assert browser is not None
    with tempfile.TemporaryDirectory() as directory:
        source = Path(directory) / "chart.html"
        source.write_text(page, encoding="utf-8")
        command = [
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            f"--window-size={_WIDTH + 60},{height}",
        ]
        command += [
            f"--user-data-dir={directory}/profile",
            f"--screenshot={path.absolute()}",
            "--virtual-time-budget=5000",
        ]
        subprocess.run([*command, source.as_uri()], check=True, capture_output=True, timeout=60)
