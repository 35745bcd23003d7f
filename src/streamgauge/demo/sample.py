"""Where the sample app and its scenarios are: in the installed package, or in the checkout of an editable install."""

import os
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]
_INSTALLED, _CHECKOUT = _PACKAGE / "_bundled", _PACKAGE.parents[1]


def sample_folder() -> Path:
    """Find the folder that holds ``target_app`` and ``loadtests``. Raises FileNotFoundError if there is none."""
    for folder in (_INSTALLED, _CHECKOUT):
        if (folder / "target_app").is_dir() and (folder / "loadtests").is_dir():
            return folder
    raise FileNotFoundError(
        f"expected the sample app in {str(_INSTALLED)!r}, which does not hold it; reinstall streamgauge"
    )


def default_locustfile() -> Path:
    """Return the locustfile with the mix of the sample scenarios."""
    return sample_folder() / "loadtests" / "locustfile.py"


def environment() -> dict[str, str]:
    """Return the environment for a process that imports the sample app or its scenarios."""
    path = [str(sample_folder()), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}
