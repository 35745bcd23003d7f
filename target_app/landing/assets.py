"""The files that the page loads, below a path that contains a hash of their content.

A new version has new paths, so a browser may cache a file forever and never mixes files of two versions.
"""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from target_app.conditions import entity_tag

_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
#: Content and media type of each file, by its name.
ASSETS: Mapping[str, tuple[bytes, str]] = {
    path.name: (path.read_bytes(), _TYPES[path.suffix])
    for path in sorted(Path(__file__).with_name("static").iterdir())
    if path.suffix in _TYPES
}
TAGS = {name: entity_tag(content) for name, (content, _) in ASSETS.items()}
VERSION = sha256(b"".join(name.encode() + content for name, (content, _) in ASSETS.items())).hexdigest()[:12]
#: Relative, so that the page works below any prefix that a proxy puts before it.
FOLDER = f"landing/{VERSION}"
#: Open to all, like the page itself.
PATHS = tuple(f"/{FOLDER}/{name}" for name in ASSETS)
