"""The files that the HTML report carries for download, so that it is whole wherever it is sent."""

import base64
import gzip

from streamgauge.report import tables
from streamgauge.report.result import FILE_NAME, Result, json_text

#: They lie beside the report too.
FILES = (FILE_NAME, tables.STREAMS, tables.TIMELINE)
#: What the report may carry of them, packed: with the scripts and the charts it stays below 6 MB.
MOST_BYTES = 3_000_000


def carried(result: Result) -> dict[str, str]:
    """By name, packed; none at all where together they are too large."""
    texts = (json_text(result), tables.streams_csv(result), tables.timeline_csv(result))
    files = {name: packed(text) for name, text in zip(FILES, texts, strict=True)}
    return files if sum(map(len, files.values())) <= MOST_BYTES else {}


def packed(text: str) -> str:
    """``text`` in gzip and base64, which the page's script unpacks."""
    return base64.b64encode(gzip.compress(text.encode(errors="replace"), mtime=0)).decode()
