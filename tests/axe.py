"""axe on a page of the browser: the faults of level A and AA that it finds."""

from importlib.resources import files

LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_FAULTS = f"""axe.run(document, {{runOnly: {LEVELS}}}).then((found) => found.violations.map(
    (fault) => `${{fault.id}}: ${{fault.help}}: ${{fault.nodes.map((node) => node.html).join(" ")}}`))"""


def faults(tab):
    """What axe finds on the page that a tab shows now."""
    source = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    tab.evaluate(f"{source};0")
    return tab.evaluate(_FAULTS)
