"""Whether a request would rather have a page than JSON (RFC 9110, section 12.5.1)."""

from collections.abc import Mapping

from target_app.weights import weights


def prefers_html(accept: str) -> bool:
    """Whether ``Accept`` weighs HTML above JSON, as every browser's does; a program that takes anything gets JSON."""
    asked = weights(accept)
    return _weight_of("text/html", asked) > _weight_of("application/json", asked)


def _weight_of(media_type: str, asked: Mapping[str, float]) -> float:
    """The weight of the most specific range that there is for it."""
    ranges = (media_type, media_type.partition("/")[0] + "/*", "*/*")
    return next((asked[name] for name in ranges if name in asked), 0.0)
