"""Packs the files that the HTML report carries, so that readers can download them wherever the report is sent."""

import base64
import gzip

from streamgauge.report import tables
from streamgauge.report.result import FILE_NAME, Result, json_text

#: These files are also in the report's directory.
FILES = (FILE_NAME, tables.STREAMS, tables.TIMELINE)
#: Limit for the packed files: with scripts and charts, the report stays below 6 MB.
MOST_BYTES = 3_000_000


def carried(result: Result) -> dict[str, str]:
    """Return the packed files by name; none if they are too large together."""
    texts = (json_text(result), tables.streams_csv(result), tables.timeline_csv(result))
    files = {name: packed(text) for name, text in zip(FILES, texts, strict=True)}
    return files if sum(map(len, files.values())) <= MOST_BYTES else {}


def packed(text: str) -> str:
    """Return ``text`` in gzip and base64, which the page's script unpacks."""
    return base64.b64encode(gzip.compress(text.encode(errors="replace"), mtime=0)).decode()
