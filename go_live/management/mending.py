"""Files of lines whose writer may have been killed within one."""

import os
from pathlib import Path

BLOCK = 65536


def mend(path: Path) -> None:
    """Cut the half line that a kill left at the file's end: the next one would be glued to it, and both be lost."""
    with path.open("rb+") as file:
        end = file.seek(0, os.SEEK_END)
        while end and os.pread(file.fileno(), 1, end - 1) != b"\n":
            end = _line_end(file.fileno(), end)
        file.truncate(end)


def _line_end(file: int, end: int) -> int:
    """Behind the last line end before ``end``, within a block; the block's beginning where there is none."""
    begin = max(0, end - BLOCK)
    return begin + os.pread(file, end - begin, begin).rfind(b"\n") + 1
