"""Other values in the text of a golive.toml: its comments stay."""

import re
from collections.abc import Mapping


def edited(text: str, values: Mapping[str, str]) -> str:
    """The text of a golive.toml with other values, by dotted key (``load.concurrency``); the rest stays as it is.

    Raises:
        ValueError: a key does not stand in the text exactly once.
    """
    for key, value in values.items():
        table, _, name = key.rpartition(".")
        line = re.compile(
            rf"(^\[{re.escape(table)}\](?:(?!^\[).)*?^{re.escape(name)} = )[^\n#]*", re.MULTILINE | re.DOTALL
        )
        found = list(line.finditer(text))
        if len(found) != 1:
            raise ValueError(f"{key} stands in golive.toml {len(found)} times, not once")
        text = f"{text[: found[0].start()]}{found[0][1]}{value}  {text[found[0].end() :]}"
    return text
