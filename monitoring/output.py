"""Generated files on disk: finds stale ones and writes them; other files in the folder are left alone."""

import json
from collections.abc import Mapping
from pathlib import Path

from monitoring.rules.files import HEADER
from monitoring.schema import TAGS


def stale(files: Mapping[str, str], folder: Path) -> list[str]:
    """List files that are changed, missing, or generated before and left over. Raises OSError."""
    endings = {Path(name).suffix for name in files}
    paths = sorted(path for path in folder.glob("*") if path.suffix in endings) if folder.exists() else []
    there = {path.name: path.read_text(encoding="utf-8") for path in paths}
    ours = {name for name, text in there.items() if name in files or _generated(text)}
    return sorted(name for name in ours | files.keys() if there.get(name) != files.get(name))


def write(files: Mapping[str, str], folder: Path) -> None:
    """Write the files and remove other generated ones. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in stale(files, folder):
        if name in files:
            (folder / name).write_text(files[name], encoding="utf-8")
        else:
            (folder / name).unlink()


def _generated(text: str) -> bool:
    """Tell whether the build wrote this text: the folder may also have other dashboards."""
    if text.startswith(HEADER):
        return True
    try:
        return set(TAGS) <= set(json.loads(text)["tags"])
    except (ValueError, KeyError, TypeError):
        return False
