"""Generated YAML: keys in their order, long expressions as blocks, a heading that says where it comes from."""

from typing import Any

import yaml

HEADING = "# Written by `golive monitor rules` from golive.toml. Change it there; `nox -s lint` refuses a difference.\n"


class _Dumper(yaml.SafeDumper):
    """Blocks for text of several lines, and lists indented below their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - yaml's own signature
        """Never indentless."""
        super().increase_indent(flow, indentless=False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def write(document: Any, heading: str = HEADING) -> str:
    """``document`` as YAML text with its heading."""
    return heading + yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=1000, allow_unicode=True)
