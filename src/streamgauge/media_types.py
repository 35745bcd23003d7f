"""Reads a Content-Type: the media type that counts, and its name. Standard library only."""

import re

_LISTED_TYPE = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*(?:"|\Z))+', re.DOTALL)
_TYPE = re.compile(r"[ \t]*(?!\*/\*)[!#$%&'*+\-.^_`|~0-9A-Za-z]+/[!#$%&'*+\-.^_`|~0-9A-Za-z]+[ \t]*(?:;|\Z)")


def effective_type(content_type: str) -> str:
    """Return the media type that counts, with its parameters, of a Content-Type that lists several: the last valid one.

    So browsers read it (WHATWG Fetch section 2.2.2, "extract a MIME type").
    """
    if "," not in content_type:
        return content_type
    listed = [each for each in _LISTED_TYPE.findall(content_type) if _TYPE.match(each)]
    return listed[-1] if listed else content_type


def media_type(content_type: str) -> str:
    """Return the media type of a Content-Type without its parameters, in lower case."""
    return effective_type(content_type).partition(";")[0].strip(" \t").lower()
