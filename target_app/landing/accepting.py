"""Whether a request would rather have a page than JSON (RFC 9110, section 12.5.1)."""

from collections.abc import Mapping


def prefers_html(accept: str) -> bool:
    """Whether ``Accept`` weighs HTML above JSON, as every browser's does; a program that takes anything gets JSON."""
    weights = dict(_weight(part) for part in accept.lower().split(",") if part.strip())
    return _weight_of("text/html", weights) > _weight_of("application/json", weights)


def _weight_of(media_type: str, weights: Mapping[str, float]) -> float:
    """The weight of the most specific range that there is for it."""
    ranges = (media_type, media_type.partition("/")[0] + "/*", "*/*")
    return next((weights[name] for name in ranges if name in weights), 0.0)


def _weight(part: str) -> tuple[str, float]:
    media_type, *parameters = (piece.strip() for piece in part.split(";"))
    text = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
    try:
        return media_type, float(text)
    except ValueError:
        return media_type, 0.0
