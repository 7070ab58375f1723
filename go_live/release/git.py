"""Running git: argument lists, a predictable environment, an end to every wait, and no secret in any message."""

import os
import re
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

import msgspec

from go_live.errors import UsageError

LOCAL_S = 60.0
"""How long a command on the local repository may take, seconds."""
NETWORK_S = 180.0
"""How long one exchange with a remote may take, seconds; an unattended release must not hang."""

_NO_GIT = "git is not installed, or not on PATH: install git 2.29 or newer"
_BUFFER = 2**20
_USERINFO = re.compile(r"(?<=://)[^/\s]*@")
_PREFIX = re.compile(r"^(fatal|error): ")
_GRACE_S = 5.0
_ELSEWHERE = frozenset({
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
})  # fmt: skip
"""Variables that point git at another repository; set when golive is called from a git hook."""
_FIXED = {
    "GIT_NO_REPLACE_OBJECTS": "1",  # a commit is what its id says
    "GIT_OPTIONAL_LOCKS": "0",  # looking never writes the index
    "GIT_TERMINAL_PROMPT": "0",
    "LANGUAGE": "",
    "LC_ALL": "C",
}
_SETTINGS = (
    "core.fsmonitor=false",
    "core.quotePath=false",
    "gc.auto=0",
    "i18n.commitEncoding=UTF-8",
    "maintenance.auto=false",
)


class GitError(UsageError):
    """A git command failed; the text is git's own reason, one line, without userinfo of any URL."""


class Result(msgspec.Struct, frozen=True):
    """What a git command did."""

    code: int
    out: bytes
    err: str

    @property
    def reason(self) -> str:
        """Git's own reason in one line: its first ``fatal`` or ``error`` line, else its last line."""
        lines = [line.strip() for line in self.err.splitlines() if line.strip()]
        named = [line for line in lines if _PREFIX.match(line)]
        text = (named or lines[-1:] or [f"git ended with status {self.code}"])[0]
        return mask(_PREFIX.sub("", text))


class Git:
    """Git in one folder. ``attempt`` reports, ``text`` and ``raw`` raise."""

    def __init__(self, root: Path) -> None:
        """Run in ``root``, which need not be the top of its work tree."""
        self.root = root

    def attempt(
        self,
        *arguments: str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        timeout_s: float = LOCAL_S,
    ) -> Result:
        """Run ``git ARGUMENTS`` and say how it ended.

        Raises:
            UsageError: git is not installed.
            GitError: no end within ``timeout_s`` seconds.
        """
        try:
            return _communicate(self._command(arguments), stdin, _environment(env or {}), timeout_s)
        except FileNotFoundError as error:
            raise UsageError(_NO_GIT) from error
        except subprocess.TimeoutExpired as error:
            raise GitError(f"git {arguments[0]} did not end within {timeout_s:.0f} s and was stopped") from error

    def start(
        self,
        *arguments: str,
        stdin: IO[bytes] | int = subprocess.DEVNULL,
        stdout: IO[bytes] | int = subprocess.PIPE,
        stderr: IO[bytes] | int = subprocess.PIPE,
    ) -> subprocess.Popen[bytes]:
        """Start ``git ARGUMENTS``, whose output is too long to be held; the caller reads and ends it.

        Raises:
            UsageError: git is not installed.
        """
        command, env = self._command(arguments), _environment({})
        try:
            return subprocess.Popen(command, bufsize=_BUFFER, stdin=stdin, stdout=stdout, stderr=stderr, env=env)
        except FileNotFoundError as error:
            raise UsageError(_NO_GIT) from error

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        settings = [part for setting in _SETTINGS for part in ("-c", setting)]
        return ["git", "-C", str(self.root), *settings, *arguments]

    def raw(
        self, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None, timeout_s: float = LOCAL_S
    ) -> bytes:
        """Standard output of ``git ARGUMENTS``.

        Raises:
            GitError: the command failed, or did not end in time.
        """
        result = self.attempt(*arguments, stdin=stdin, env=env, timeout_s=timeout_s)
        if result.code:
            raise GitError(result.reason)
        return result.out

    def text(
        self, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None, timeout_s: float = LOCAL_S
    ) -> str:
        """Standard output of ``git ARGUMENTS`` as text, without the final line end.

        Raises:
            GitError: the command failed, or did not end in time.
        """
        return self.raw(*arguments, stdin=stdin, env=env, timeout_s=timeout_s).decode(errors="replace").rstrip("\n")


def mask(text: str) -> str:
    """``text`` with the userinfo of every URL (where tokens stand) replaced by ``***``."""
    return _USERINFO.sub("***@", text)


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment, less what points elsewhere, with fixed language and no prompt."""
    inherited = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    return inherited | _FIXED | dict(extra)


def _communicate(command: list[str], stdin: bytes, env: dict[str, str], timeout_s: float) -> Result:
    """Run to the end; on time-out or interrupt stop git and every helper it started."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=env, start_new_session=True) as process:
        try:
            out, err = process.communicate(stdin, timeout=timeout_s)
        except BaseException:
            _stop(process)
            raise
    return Result(process.returncode, out, err.decode(errors="replace"))


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the process group: politely first, because git then removes its lock files."""
    with suppress(ProcessLookupError, subprocess.TimeoutExpired):
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(_GRACE_S)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
