"""First-hour troubles: what is wrong before anything starts, each in one clear line. Facts in, judgement out."""

import importlib.util
import math
import os
import platform
import socket
from collections.abc import Mapping
from pathlib import Path

import msgspec
import psutil

from go_live.checklist import Repository
from go_live.errors import UsageError
from go_live.release.git import Git
from go_live.release.repository import dirt, identity, observe, open_work_tree
from go_live.release.state import dirty_line

ENGINE_BYTES = 6 * 10**9
"""Free memory that the rehearsal's engine needs: about 2.5 GB at rest, and three processes that load at once."""
CORE_COMMANDS = "`golive demo`, `golive judge` and `golive report` work without it"

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_CGROUP = Path("/sys/fs/cgroup")
_LOOPBACK = "127.0.0.1"


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What preflight looks at."""

    repository: Repository
    dirty_paths: tuple[str, ...]
    proxies: tuple[str, ...]
    """Names of the proxy variables that are set; never their values, which may hold a password."""
    free_bytes: int
    port: int
    """The port asked for; 0: any."""
    port_taken: bool
    vllm: bool
    """Whether the engine is installed."""
    machine: str
    """``Linux x86_64, Python 3.11``."""
    identity_trouble: str | None = None
    """Why a tag could not be signed with a name; None: it could."""


def gather(root: Path, *, port: int = 0) -> Facts:
    """Look at the project in ``root`` and at this machine.

    Raises:
        UsageError: no git repository, or none with a commit.
    """
    repository, git = observe(root), open_work_tree(root)
    return Facts(
        repository=repository,
        dirty_paths=tuple(dirt(git)) if repository.dirty else (),
        proxies=proxies(os.environ),
        free_bytes=free_memory(),
        port=port,
        port_taken=port_taken(port),
        vllm=importlib.util.find_spec("vllm") is not None,
        machine=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        identity_trouble=_identity_trouble(git),
    )


def check_rehearsal(facts: Facts, *, engine: bool = True) -> list[str]:
    """Notes on a rehearsal that can go on.

    Args:
        facts: from ``gather``.
        engine: whether the run starts vLLM (not with the timed engine).

    Raises:
        UsageError: it cannot: each reason is one line.
    """
    _raise(_port(facts) + (_engine(facts) if engine else []))
    notes = []
    if facts.dirty_paths:
        notes.append(f"rehearsing all the same, though {dirty_line(list(facts.dirty_paths))}; production would refuse")
    if facts.repository.shallow:
        notes.append("the clone is shallow: fine for a rehearsal; production needs `git fetch --unshallow`")
    if facts.proxies:
        notes.append(f"a proxy is set ({', '.join(facts.proxies)}): traffic to {_LOOPBACK} bypasses it")
    return notes


def check_production(facts: Facts) -> list[str]:
    """Notes on a production run that can go on.

    Raises:
        UsageError: it cannot: a dirty tree, a shallow clone and a missing identity are refused, each in one line.
    """
    dirty = [f"production refuses: {dirty_line(list(facts.dirty_paths))}"] if facts.dirty_paths else []
    shallow = ["production refuses a shallow clone: `git fetch --unshallow`"] if facts.repository.shallow else []
    nameless = [facts.identity_trouble] if facts.identity_trouble else []
    _raise(dirty + shallow + nameless)
    if not facts.proxies:
        return []
    return [f"a proxy is set ({', '.join(facts.proxies)}): requests to the live endpoint go through it"]


def proxies(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Names of the proxy variables that are set in ``environment``, in either case."""
    return tuple(sorted(name for name, value in environment.items() if name.upper() in _PROXIES and value))


def port_taken(port: int) -> bool:
    """Whether nothing more can listen on ``port`` of loopback. Port 0 is never taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_LOOPBACK, port))
        except OSError:
            return True
    return False


def free_memory(cgroup: Path = _CGROUP) -> int:
    """Bytes that a new process can have: of the machine, or of the control group (a container's limit) if less."""
    machine: int = psutil.virtual_memory().available
    try:
        limit = int((cgroup / "memory.max").read_text())
        used = int((cgroup / "memory.current").read_text())
        rows = (line.split() for line in (cgroup / "memory.stat").read_text().splitlines())
        cache = next(int(value) for name, value in rows if name == "inactive_file")
    except (OSError, ValueError, StopIteration):  # no control group, or no limit ("max")
        return machine
    return min(machine, max(0, limit - used + cache))


def _identity_trouble(git: Git) -> str | None:
    """Why git could not put a name on a tag."""
    try:
        identity(git)
    except UsageError as error:
        return str(error)
    return None


def _port(facts: Facts) -> list[str]:
    """A port that somebody else listens on."""
    if not facts.port_taken:
        return []
    return [f"port {facts.port} on {_LOOPBACK} is taken: choose another, or 0 for any free one"]


def _engine(facts: Facts) -> list[str]:
    """What keeps vLLM from starting."""
    if not facts.vllm:
        where = f"vllm is not installed here ({facts.machine})"
        remedy = "`nox -s golive` installs it where there is a CPU wheel for the platform"
        return [f"{where}: {remedy}; {CORE_COMMANDS}"]
    if facts.free_bytes < ENGINE_BYTES:
        free, need = math.floor(facts.free_bytes / 10**8) / 10, ENGINE_BYTES // 10**9
        return [f"only {free} GB of memory are free, and the engine needs {need} GB: close something; {CORE_COMMANDS}"]
    return []


def _raise(troubles: list[str]) -> None:
    """Refuse, naming every trouble, one a line."""
    if troubles:
        raise UsageError("\n".join(troubles))
