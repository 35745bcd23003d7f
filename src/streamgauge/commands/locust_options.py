"""The command ``streamgauge options``: show the options that a Locust run of a scenario has."""

from pathlib import Path

import click

from streamgauge.commands.option_values import Existing, Problem, need


@click.command()
@click.argument("locustfile", type=Existing("a locustfile"), required=False)
def options(locustfile: Path | None) -> None:
    """Show the options of `locust -f LOCUSTFILE`, those of streamgauge and of the scenario included.

    Locust's own --help ends before it loads the locustfile, and shows neither.
    """
    need(("locust",), "load")
    from streamgauge.load.option_help import option_help

    try:
        text = option_help(locustfile)
    except Exception as error:  # raised by the locustfile
        raise Problem(f"cannot load {str(locustfile)!r}: {type(error).__name__}: {error}") from None
    click.echo(text, nl=False)
