"""A file whose writer was killed within a line."""

from pathlib import Path

import pytest

from go_live.management.mending import BLOCK, mend


@pytest.mark.parametrize("whole", [b"", b"whole\n", b"one\n" + b"y" * 2 * BLOCK + b"\n"])
@pytest.mark.parametrize("half", [b"", b"x", b"x" * 3 * BLOCK])
def test_only_the_half_line_is_cut(tmp_path: Path, whole: bytes, half: bytes) -> None:
    """However long it is, and whatever stands before it."""
    path = tmp_path / "w1.jsonl"
    path.write_bytes(whole + half)
    mend(path)
    assert path.read_bytes() == whole
