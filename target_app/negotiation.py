"""Content negotiation: how much a request wants each of what it names (RFC 9110, section 12)."""

from collections.abc import Mapping


def quality_values(field: str) -> Mapping[str, float]:
    """Read the quality value of each name in ``Accept`` or ``Accept-Encoding``, in lower case; 0 if invalid."""
    return dict(_quality_value(part) for part in field.lower().split(",") if part.strip())


def prefers_html(accept: str) -> bool:
    """Tell whether ``Accept`` ranks HTML above JSON, as that of every browser does and ``*/*`` does not."""
    values = quality_values(accept)
    return _of_type("text/html", values) > _of_type("application/json", values)


def _quality_value(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip() for piece in part.split(";"))
    text = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
    try:
        value = float(text)
    except ValueError:
        return name, 0.0
    return name, value if 0 <= value <= 1 else 0.0


def _of_type(media_type: str, values: Mapping[str, float]) -> float:
    """Find the quality value of a media type: that of the most specific range that includes it."""
    ranges = (media_type, media_type.partition("/")[0] + "/*", "*/*")
    return next((values[name] for name in ranges if name in values), 0.0)
