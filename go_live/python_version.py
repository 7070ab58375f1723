"""Say in one line that this Python is too old. Old Pythons must be able to run this file: no modern syntax."""

import sys
from typing import TextIO

OLDEST = (3, 11)
USAGE = 2


def require(version: "tuple[int, ...] | None" = None, stream: "TextIO | None" = None) -> None:
    """End with exit code 2 and one line on ``stream`` (standard error) when ``version`` (this Python) is too old.

    To be called before anything else of golive is imported.
    """
    found = (version or sys.version_info)[:2]
    if found >= OLDEST:
        return
    texts = [".".join([str(number) for number in numbers]) for numbers in (OLDEST, found)]
    line = "golive needs Python " + texts[0] + " or newer, and this is Python " + texts[1]
    (stream or sys.stderr).write(line + ": run it with a newer one, e.g. `python" + texts[0] + " -m nox`\n")
    raise SystemExit(USAGE)
