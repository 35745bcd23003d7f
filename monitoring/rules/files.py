"""The rule files: their names and their YAML."""

from pathlib import Path
from typing import Any

import yaml

from monitoring.rules import client_alerts, recording, server_alerts, slo
from monitoring.rules.plan import Plan
from monitoring.rules.rule import Group

FOLDER = Path(__file__).parents[1] / "prometheus" / "rules"
HEADER = "# Written by `python -m monitoring.build`, from monitoring/rules/. Change it there.\n"


def groups(plan: Plan) -> dict[str, list[Group]]:
    """Make each file's groups."""
    return {
        "recording.yml": recording.groups(plan),
        "slo.yml": slo.groups(plan),
        "alerts.yml": [*server_alerts.groups(plan), *client_alerts.groups(plan)],
    }


def generate(plan: Plan | None = None) -> dict[str, str]:
    """Generate each file's name and text. Raises CatalogError if a rule names what the catalog does not define."""
    chosen = plan or Plan()
    return {name: _text([each.document(chosen) for each in found]) for name, found in groups(chosen).items()}


class _Dumper(yaml.SafeDumper):
    """Writes multi-line texts as blocks, so that diffs are readable."""


def _block(dumper: _Dumper, text: str) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _block)


def _text(documents: list[dict[str, Any]]) -> str:
    return HEADER + yaml.dump({"groups": documents}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
