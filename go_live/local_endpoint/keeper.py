"""The keeper: a tiny process that starts one worker and ends it, whatever happens to the endpoint.

    python -I -S keeper.py COMMAND...

It stands outside the endpoint's session, holds the read end of a pipe as stdin and obeys it: ``T`` sends SIGTERM to
the worker alone (its ping child must live while it drains), ``K`` or the pipe's end kills everything below. The worker
leads a session and process group of its own; on Linux the keeper is a subreaper, so that descendants which left that
group (an engine that called setsid) come back to it when their parent dies, and are killed too. It writes the worker's
pid on stdout, and exits with the worker's exit code (128 + signal where one killed it). Standard library only.
"""

import ctypes
import os
import select
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
NOT_STARTED = 127


def main(command: list[str]) -> int:
    """Start ``command``, obey stdin, and return its exit code once nothing of it is left."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for ignored in IGNORED:
        signal.signal(ignored, signal.SIG_IGN)
    worker = _spawn(command)
    os.write(1, b"%d\n" % worker)
    code = _watch(worker, woken)
    _kill_all(worker)
    return code


def _prctl(option: int, value: int) -> None:
    """Linux's process control; elsewhere the process group has to do."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _spawn(command: list[str]) -> int:
    """Start the worker in a session of its own: stdin empty, stdout and stderr to the keeper's stderr, the log."""
    worker = os.fork()
    if worker:
        return worker
    os.setsid()
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # should the keeper itself be killed
    for ignored in (*IGNORED, signal.SIGPIPE):  # Python ignores SIGPIPE, and a program inherits that
        signal.signal(ignored, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    try:
        os.execvp(command[0], command)  # noqa: S606 - an argument list, and no shell
    except OSError as error:
        os.write(2, f"cannot start {command[0]}: {error.strerror}\n".encode())
    os._exit(NOT_STARTED)


def _watch(worker: int, woken: int) -> int:
    """Obey stdin until the worker has ended; its exit code."""
    while True:
        readable, _, _ = select.select([0, woken], [], [])
        if woken in readable:
            os.read(woken, 4096)
            code = _reap(worker)
            if code is not None:
                return code
        if 0 in readable:
            order = os.read(0, 1)
            if order == b"T":
                os.kill(worker, signal.SIGTERM)
            else:
                return 128 + signal.SIGKILL


def _reap(worker: int) -> int | None:
    """Collect every child that has ended; the worker's exit code if it is among them."""
    code = None
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            if pid == worker:
                ended = os.waitstatus_to_exitcode(status)
                code = ended if ended >= 0 else 128 - ended
    return code


def _kill_all(worker: int) -> None:
    """SIGKILL the worker's group and every descendant, until none is left."""
    while True:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(worker, signal.SIGKILL)
        for pid in _descendants():
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        _reap(worker)
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        time.sleep(0.01)


def _descendants() -> list[int]:
    """All processes below this one, from /proc (none where there is no /proc)."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError):
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(stat.parent.name))
    found, todo = [], [os.getpid()]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
