"""Commands as browsers copy them: ``copied/`` has those of Chromium 156, by its own code, and of Firefox."""

from pathlib import Path

_FOLDER = Path(__file__).with_name("copied")


def copied(name: str, shell: str) -> str:
    """Return a copied command; ``shell`` is bash or cmd."""
    return (_FOLDER / f"{name}.{shell}.txt").read_text()
