"""The route template of a request, for the ``route`` label. Never the URL: there is no limit to its values.

The frameworks say in the scope which route they chose, at the latest when the response begins, whatever wraps the app:

1. Litestar stores the template (``path_template``).
2. Starlette and FastAPI store the outermost router and the chosen endpoint. The router's routes are walked once; the
   template is that of the endpoint, with the prefixes of included routers and mounts.
3. Where the walk does not see the endpoint, because something wraps a mounted app, the label is the chosen route's own
   path after the prefix of the mounts (``root_path``), in which parameters have their names.

Before the app has chosen, for a stream that is rejected, the path is matched with the templates of the routers that
were seen, and of the app itself. Nothing is imported from the frameworks; their objects are recognised by their
attributes.
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
    mount: re.Pattern[str] | None = None
    """The pattern of the mount's own path, if the template is that of a mounted app whose routes are not visible."""


class RouteTemplates:
    """Finds the templates of requests to ``app``: an application with ``routes``, or whatever wraps one."""

    #: How many routers are remembered. An app has one; more only if the wrapper chooses among several apps.
    MAX_ROUTERS = 64

    def __init__(self, app: object) -> None:
        self._own = RouterTemplates(app)
        self._of_routers: dict[int, RouterTemplates] = {}

    def of(self, scope: Scope) -> str:
        """Return the template that the app has chosen for ``scope``; before it has chosen, the first that matches."""
        router = scope.get("router")
        if router is None and scope.get("path_template") is None:
            return self._before_routing(scope)
        templates = self._own if router is None else self._of_router(router)
        own_template = scope.get("path_template")
        if isinstance(own_template, str):
            prefix = templates.prefix_of(scope)
            return UNMATCHED if prefix is None else prefix + own_template
        return templates.of(scope)

    def _before_routing(self, scope: Scope) -> str:
        for templates in (self._own, *self._of_routers.values()):
            found = templates.of(scope)
            if found != UNMATCHED:
                return found
        return UNMATCHED

    def _of_router(self, router: object) -> "RouterTemplates":
        found = self._of_routers.get(id(router))
        if found is None:
            if len(self._of_routers) >= self.MAX_ROUTERS:
                self._of_routers.clear()
            found = self._of_routers[id(router)] = RouterTemplates(router)  # which keeps the router, and so its id
        return found


class RouterTemplates:
    """The templates of ``root``: a router or an application, or a wrapper with such an application in ``app``."""

    #: The shortest time between two walks that an unknown endpoint causes. Apps may add routes while they run.
    REFRESH_S = 10.0

    def __init__(self, root: object) -> None:
        self._root = root
        self._walked_s = float("-inf")
        self._walked_routes = -1
        self._all: list[Template] = []
        self._by_endpoint: dict[int, list[Template]] = {}

    def of(self, scope: Scope) -> str:
        """Return the template of the endpoint in ``scope``; without an endpoint, the first that the path matches."""
        chosen = self._of_endpoint(scope.get("endpoint"))
        if len(chosen) == 1:
            return chosen[0].text
        if not chosen and (inner := _path_of_route(scope)) and (prefix := self.prefix_of(scope)) is not None:
            return prefix + inner
        path = _path_within(scope)
        return next((each.text for each in chosen or self._all if each.pattern.fullmatch(path)), UNMATCHED)

    def prefix_of(self, scope: Scope) -> str | None:
        """Return the template of the mounts that led to the app in ``scope``; None if it is not known."""
        outer: str | None = scope.get("app_root_path")
        root_path: str = scope.get("root_path", "")
        if outer is None or root_path == outer or not root_path.startswith(outer):
            return ""
        self._of_endpoint(None)
        path = root_path[len(outer) :]
        for each in self._all:
            if each.mount is not None and each.mount.fullmatch(path):
                return each.text.removesuffix(_PATH_SUFFIX)
        return _with_names(path, _mount_parameters(scope))

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


def _path_within(scope: Scope) -> str:
    """Return the path below the root path that was set outside of the app, such as a proxy's prefix."""
    root_path: str = scope.get("app_root_path", scope.get("root_path", ""))
    path: str = scope.get("path", "")
    return path[len(root_path) :] if path.startswith(root_path + "/") else path


def _path_of_route(scope: Scope) -> str | None:
    """Return the path of the innermost route that the app chose, without the mounts before it.

    FastAPI stores the prefixes of included routers in the context of the route, and leaves a context of an outer route
    in place when an inner one has none.
    """
    route, endpoint = scope.get("route"), scope.get("endpoint")
    own = scope.get("fastapi")
    context = own.get("effective_route_context") if isinstance(own, Mapping) else None
    if context is not None and endpoint is not None:
        inner = getattr(context, "starlette_route", None) or context
        if getattr(inner, "endpoint", None) is endpoint:
            route = inner
    path = getattr(route, "path_format", None)
    return path if isinstance(path, str) and hasattr(route, "endpoint") else None


def _mount_parameters(scope: Scope) -> dict[str, str]:
    """Return the parameters of the mounts: those that the chosen route itself does not have."""
    own = getattr(scope.get("route"), "param_convertors", {})
    return {name: str(value) for name, value in scope.get("path_params", {}).items() if name not in own}


def _with_names(path: str, parameters: Mapping[str, str]) -> str | None:
    """Return the path with names instead of values; None if a value, perhaps converted, is not one of its segments."""
    segments = path.split("/")
    for name, value in parameters.items():
        if value not in segments:
            return None
        segments[segments.index(value)] = f"{{{name}}}"
    return "/".join(segments)


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
        routes, own = _routes_of(mounted), prefix + path.removesuffix(_PATH_SUFFIX)
        if routes:
            yield from _templates(routes, own, known)
        else:
            pattern, mount = _compile(prefix + path, known), _compile(own, known)
            yield Template(prefix + path, pattern, mounted, mount)


def _compile(template: str, convertors: Mapping[str, Any]) -> re.Pattern[str]:
    """Compile the template to a pattern. A parameter matches what its convertor matches, else one segment."""
    parts = _PARAMETER.split(template)
    for index, part in enumerate(parts):
        parameter = index % 2 == 1
        parts[index] = f"(?:{getattr(convertors.get(part), 'regex', '[^/]+')})" if parameter else re.escape(part)
    return re.compile("".join(parts), re.DOTALL)
