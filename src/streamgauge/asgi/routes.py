"""The route template of a request, for the ``route`` label. Never the URL: there is no limit to its values.

Nothing is imported from Starlette, FastAPI and Litestar; their routes are recognised by their attributes. Litestar
stores the template in the scope. Starlette and FastAPI store only the innermost route's path, without the prefix of an
included router or a mount. So the routes are walked once, and the template is found by the endpoint that was chosen.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from streamgauge.asgi.interface import Scope

#: The label of a request that no route matched, or whose route is not known.
UNMATCHED = "none"
_PARAMETER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(?::[A-Za-z_][A-Za-z0-9_]*)?\}")
_PATH_SUFFIX = "/{path}"


@dataclass(frozen=True, slots=True)
class Template:
    """One full path template, with the pattern of its paths and its endpoint."""

    text: str
    pattern: re.Pattern[str]
    endpoint: object


class RouteTemplates:
    """The templates of ``root``: an application with ``routes``, or a wrapper with such an application in ``app``."""

    #: The shortest time between two walks that an unknown endpoint causes. Apps may add routes while they run.
    REFRESH_S = 10.0

    def __init__(self, root: object) -> None:
        self._root = root
        self._walked_s = float("-inf")
        self._walked_routes = -1
        self._all: list[Template] = []
        self._by_endpoint: dict[int, list[Template]] = {}

    def of(self, scope: Scope) -> str:
        """Return the template that the app has chosen for ``scope``; before it has chosen, the first that matches."""
        template = scope.get("path_template")
        if isinstance(template, str):
            return template
        chosen = self._of_endpoint(scope.get("endpoint"))
        if len(chosen) == 1:
            return chosen[0].text
        root_path: str = scope.get("app_root_path", scope.get("root_path", ""))
        path: str = scope.get("path", "")
        path = path[len(root_path) :] if path.startswith(root_path + "/") else path
        return next((each.text for each in chosen or self._all if each.pattern.fullmatch(path)), UNMATCHED)

    def _of_endpoint(self, endpoint: object) -> list[Template]:
        """Return the templates of ``endpoint``; none if it is unknown, or None because the app has not chosen yet."""
        found = self._by_endpoint.get(id(endpoint), [])
        unknown_for_long = endpoint is not None and not found and perf_counter() - self._walked_s > self.REFRESH_S
        if unknown_for_long or len(_routes_of(self._root)) != self._walked_routes:
            self._walk()
            found = self._by_endpoint.get(id(endpoint), [])
        return found

    def _walk(self) -> None:
        routes = _routes_of(self._root)
        self._walked_s, self._walked_routes = perf_counter(), len(routes)
        self._all = list(_templates(routes, "", {}))
        self._by_endpoint = {}
        for template in self._all:
            if template.endpoint is not None:
                self._by_endpoint.setdefault(id(template.endpoint), []).append(template)


def _routes_of(app: object) -> list[Any]:
    """Return the routes of an application, also if middleware wraps it."""
    seen = set[int]()
    while app is not None and id(app) not in seen:
        routes = getattr(app, "routes", None)
        if isinstance(routes, list):
            return routes
        seen.add(id(app))
        app = getattr(app, "app", None)
    return []


def _templates(routes: Iterable[Any], prefix: str, convertors: Mapping[str, Any]) -> Iterator[Template]:
    for route in routes:
        included = getattr(route, "effective_route_contexts", None)
        if included is not None:  # FastAPI: an included router; its contexts have the full prefixes
            inner = (getattr(context, "starlette_route", None) or context for context in included())
            yield from _templates(inner, prefix, convertors)
        else:
            yield from _templates_of_route(route, prefix, convertors)


def _templates_of_route(route: Any, prefix: str, convertors: Mapping[str, Any]) -> Iterator[Template]:
    known = {**convertors, **getattr(route, "param_convertors", {})}
    mounted = getattr(route, "app", None)
    path: str | None = getattr(route, "path_format", None)
    if hasattr(route, "host"):
        yield from _templates(_routes_of(mounted), prefix, known)
    elif path and hasattr(route, "endpoint"):
        yield Template(prefix + path, _compile(prefix + path, known), route.endpoint)
    elif path and hasattr(route, "path_components"):  # Litestar: its routes have the full prefixes
        yield Template(path, _compile(path, known), None)
    elif path and path.endswith(_PATH_SUFFIX):  # a mount
        routes = _routes_of(mounted)
        if routes:
            yield from _templates(routes, prefix + path.removesuffix(_PATH_SUFFIX), known)
        else:
            yield Template(prefix + path, _compile(prefix + path, known), mounted)


def _compile(template: str, convertors: Mapping[str, Any]) -> re.Pattern[str]:
    """Compile the template to a pattern. A parameter matches what its convertor matches, else one segment."""
    parts = _PARAMETER.split(template)
    for index, part in enumerate(parts):
        parameter = index % 2 == 1
        parts[index] = f"(?:{getattr(convertors.get(part), 'regex', '[^/]+')})" if parameter else re.escape(part)
    return re.compile("".join(parts), re.DOTALL)
