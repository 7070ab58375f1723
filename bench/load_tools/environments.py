"""An environment for each tool, made once and kept in a cache folder."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

CONSTRAINTS = Path(__file__).with_name("constraints.txt")


class InstallError(Exception):
    """The tool cannot be installed; the text is the installer's last word."""


def cache() -> Path:
    """Where environments are kept unless told otherwise."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "golive" / "load-tools"


def interpreter(package: str | None, folder: Path) -> Path:
    """The interpreter of the environment that ``package`` is installed in; this one for None.

    Raises:
        InstallError: it cannot be installed.
    """
    if package is None:
        return Path(sys.executable)
    place = folder / package
    python = place / "bin" / "python"
    if not python.exists():
        _uv("venv", "--python", sys.executable, str(place))
    _uv("pip", "install", "--python", str(python), "--constraints", str(CONSTRAINTS), package)
    return python


def _uv(*arguments: str) -> None:
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    links = os.environ.get("UV_FIND_LINKS") or os.environ.get("PIP_FIND_LINKS")
    torch = {"UV_FIND_LINKS": links} if links else {"UV_TORCH_BACKEND": "cpu"}
    done = subprocess.run(
        [uv, "--quiet", *arguments], env=os.environ | torch, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise InstallError(" ".join(done.stderr.split())[-400:])
