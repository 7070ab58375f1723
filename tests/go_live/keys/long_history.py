"""A repository with a long history, made in a second: real source text, and many small commits."""

import random
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

FILES = 300
EDITED = 3
"""Files that a commit changes."""
LINES = 5
"""Lines that a commit changes in each of them."""


def sources() -> list[bytes]:
    """The standard library's own modules, of common length."""
    folder = Path(sysconfig.get_paths()["stdlib"])
    texts = (path.read_bytes() for path in sorted(folder.rglob("*.py")) if "site-packages" not in path.parts)
    return [text for text in texts if 2_000 <= len(text) <= 60_000][:FILES]  # noqa: PLR2004 - bytes


def make(folder: Path, commits: int) -> Path:
    """A packed repository with ``commits`` commits in the new ``folder``, checked out."""
    folder.mkdir()
    _git(folder, "init", "--quiet", "--initial-branch", "main")
    with subprocess.Popen(
        ["git", "fast-import", "--quiet"],  # noqa: S607 - the machine's git
        cwd=folder,
        stdin=subprocess.PIPE,
    ) as importing:
        if importing.stdin is None:
            raise RuntimeError("git fast-import takes no input")
        for part in _stream(commits):
            importing.stdin.write(part)
        importing.stdin.close()
        if importing.wait():
            raise RuntimeError("git fast-import failed")
    _git(folder, "reset", "--quiet", "--hard", "main")
    _git(folder, "repack", "-adfq", "--depth=50", "--window=10")
    return folder


def _stream(commits: int) -> Iterator[bytes]:
    """What fast-import reads: all files first, then edits of a few."""
    draw = random.Random(1)  # noqa: S311 - no secret
    texts = [text.splitlines(keepends=True) for text in sources()]
    for number in range(commits):
        edited = range(len(texts)) if number == 0 else draw.sample(range(len(texts)), EDITED)
        yield b"commit refs/heads/main\ncommitter Ada <ada@example.com> %d +0000\n" % (1_700_000_000 + number)
        yield b"data 9\nAn edit.\n\n"
        for file in edited:
            lines = texts[file]
            for line in draw.sample(range(len(lines)), LINES if number else 0):
                lines[line] = b"# edited in commit %d\n" % number
            content = b"".join(lines)
            yield b"M 100644 inline module_%03d.py\ndata %d\n%s\n" % (file, len(content), content)


def _git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True)  # noqa: S607 - the machine's git
