"""Reads the values of the benchmarks' options, and writes the file of figures."""

import argparse
import json
from pathlib import Path
from typing import Any


def whole(text: str) -> int:
    """Read an option's whole number above 0."""
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"expected a whole number above 0, got {text!r}")
    return int(text)


def positive(text: str) -> float:
    """Read an option's finite number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return value


def new_file(text: str) -> Path:
    """Read the path of a new file, and check its directory. Raises ArgumentTypeError."""
    file = Path(text)
    if not file.absolute().parent.is_dir():
        raise argparse.ArgumentTypeError(f"expected a file in an existing directory, got {text!r}")
    if file.is_dir():
        raise argparse.ArgumentTypeError(f"expected a file, got the directory {text!r}")
    return file


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add the option ``-o``."""
    parser.add_argument("-o", "--output", metavar="FILE", type=new_file, help="write the figures as JSON")


def write_figures(options: argparse.Namespace, figures: dict[str, Any]) -> None:
    """Write the figures to the file of ``-o``, if it is given."""
    if options.output:
        options.output.write_text(json.dumps(figures, indent=1) + "\n")
