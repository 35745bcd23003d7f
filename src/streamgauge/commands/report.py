"""The command ``streamgauge report``: write a result in another format."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streamgauge.commands.option_values import Existing, NewFile, OneOf, Problem, need

if TYPE_CHECKING:
    from streamgauge.report.result import Result
    from streamgauge.report.server_view import ServerView


@click.command()
@click.argument("result", type=Existing("a result.json or the directory of one"))
@click.option(
    "--format",
    "form",
    type=OneOf("html", "json", "text", "streams-csv", "timeline-csv"),
    metavar="[html|json|text|streams-csv|timeline-csv]",
    default="html",
    show_default=True,
    help="Format to write: the HTML report, the result with the server's view as JSON, the terminal's table, or a CSV "
    "table of the run's names or seconds.",
)
@click.option(
    "-o",
    "--output",
    type=NewFile(),
    help="File to write; - for standard output.  [default: report.html beside the result for html, else -]",
)
def report(result: Path, form: str, output: Path | None) -> None:
    """Write the report of RESULT, a result.json or the directory that holds one.

    If server.json lies beside the result, the report includes the server's own view of the run.
    """
    need(("plotly", "jinja2", "hdrh"), "demo")
    home = result if result.is_dir() else result.parent
    target = output or (home / "report.html" if form == "html" else Path("-"))
    to_standard_output = str(target) == "-"
    text = _rendered(result, form, to_standard_output)
    if to_standard_output:
        click.echo(text, nl=False)
        return
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Problem(f"--output {str(target)!r}: {error.strerror or error}") from None
    click.echo(target)


def _rendered(path: Path, form: str, to_standard_output: bool) -> str:
    from jinja2 import TemplateError

    from streamgauge.report.html import render
    from streamgauge.report.result import ResultError, read_result
    from streamgauge.report.server_json import read_view

    try:
        result = read_result(path)
        view = read_view(path if path.is_dir() else path.parent)
    except ResultError as error:
        raise Problem(str(error)) from None
    try:
        page = render(result, view)  # for every format, since it checks the whole result
        text = page if form == "html" else _plain(result, view, form, to_standard_output)
    except (LookupError, TypeError, AttributeError, ValueError, TemplateError) as error:
        raise Problem(f"{str(path)!r} is not a complete result: {type(error).__name__}: {error}") from None
    return text.encode(errors="replace").decode()


def _plain(result: "Result", view: "ServerView | None", form: str, to_standard_output: bool) -> str:
    from streamgauge.report.tables import streams_csv, timeline_csv

    if form == "text":
        return _table(result, view, to_standard_output)
    if form == "json":
        return json.dumps({**result, "server": view}, indent=1, allow_nan=False) + "\n"
    return (streams_csv if form == "streams-csv" else timeline_csv)(result)


def _table(result: "Result", view: "ServerView | None", to_standard_output: bool) -> str:
    from streamgauge.report.console import print_table
    from streamgauge.report.terminal import standard_output, unlimited

    console = standard_output() if to_standard_output else unlimited()
    with console.capture() as printed:
        print_table(result, view, console)
    return printed.get()
