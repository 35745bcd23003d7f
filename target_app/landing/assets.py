"""The files that the page loads: read once, and served below a path that names their content.

A new version has new paths, so a browser may keep what it has for good, and never mixes files of two versions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

STATIC = Path(__file__).with_name("static")
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file."""

    content: bytes
    media_type: str


ASSETS: Mapping[str, Asset] = {
    path.name: Asset(path.read_bytes(), _TYPES[path.suffix])
    for path in sorted(STATIC.iterdir())
    if path.suffix in _TYPES
}
VERSION = sha256(b"".join(name.encode() + asset.content for name, asset in ASSETS.items())).hexdigest()[:12]
#: Where they are; relative, so that the page works below any prefix that a proxy puts before it.
FOLDER = f"landing/{VERSION}"
#: What anybody may load, as the page itself.
PATHS = tuple(f"/{FOLDER}/{name}" for name in ASSETS)
