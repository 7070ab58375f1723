"""One controller at a time: a lease in a file, and a lock for the moments in which anything is written.

Whoever holds the lease renews it at every look. It is taken over when it has run out, or when its holder is a process
of this machine that is gone. Each holder has a token above all earlier ones, and writes only under the lock and only
while the lease still names its token: a controller that was stopped for a while, and replaced meanwhile, finds that out
before it can do anything.
"""

import fcntl
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import psutil

from go_live.errors import UsageError
from go_live.evidence.run_directory import encode, write_atomically

LOCK, LEASE = "lock", "lease.json"
LOCK_WAIT_S = 5.0
"""Longest wait for the lock: it is held for single writes."""
POLL_S = 0.05


class LeaseError(UsageError):
    """Another controller holds the rollout, or has taken it over."""


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """Who may act."""

    token: int
    host: str
    pid: int
    started: float
    """When the process began, Unix time: a pid can be given out again."""
    until: float
    """Unix time."""

    @property
    def holder(self) -> str:
        """For people."""
        return f"process {self.pid} on {self.host}"


class Holder:
    """This process' hold on a rollout's directory."""

    def __init__(self, directory: Path, *, lease_s: float, now: Callable[[], float]) -> None:
        """Nothing is held yet; ``directory`` must exist."""
        self._directory, self._lease_s, self._now = directory, lease_s, now
        self._token = 0

    def take(self, *, by_force: bool = False) -> None:
        """Take the lease; ``by_force`` also from a holder who lives: a person's abort.

        Raises:
            LeaseError: another one holds it; the message names it.
        """
        with locked(self._directory):
            held = read(self._directory)
            if held is not None and not by_force and not self._over(held):
                left = held.until - self._now()
                raise LeaseError(
                    f"{held.holder} runs this rollout (its lease runs for {left:.0f} s more): "
                    "`golive rollout status` shows it, `pause` and `abort` reach it"
                )
            self._token = held.token + 1 if held else 1
            self._write()

    @contextmanager
    def acting(self) -> Iterator[None]:
        """Within it this process alone may write; the lease is renewed.

        Raises:
            LeaseError: it has been taken over.
        """
        with locked(self._directory):
            held = read(self._directory)
            if held is None or held.token != self._token:
                by = held.holder if held else "somebody who removed the lease"
                raise LeaseError(f"the rollout was taken over by {by}: this controller does nothing more")
            self._write()
            yield

    def release(self) -> None:
        """Give it up, if it is still held."""
        with locked(self._directory):
            held = read(self._directory)
            if held is not None and held.token == self._token:
                self._write(until=0.0)

    def _over(self, held: Lease) -> bool:
        return held.until <= self._now() or not alive(held)

    def _write(self, until: float | None = None) -> None:
        mine = Lease(
            token=self._token,
            host=socket.gethostname(),
            pid=os.getpid(),
            started=psutil.Process().create_time(),
            until=self._now() + self._lease_s if until is None else until,
        )
        write_atomically(self._directory / LEASE, encode(mine))


def read(directory: Path) -> Lease | None:
    """Who holds the rollout in ``directory``; None: nobody ever did.

    Raises:
        UsageError: the file cannot be read.
    """
    path = directory / LEASE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Lease)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise UsageError(f"the lease {path} cannot be read: {error}; remove it if no controller runs") from error


def alive(held: Lease) -> bool:
    """Whether the holder may live: a process of another machine may."""
    if held.host != socket.gethostname():
        return True
    try:
        return abs(psutil.Process(held.pid).create_time() - held.started) < 1
    except psutil.Error:
        return False


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the directory's lock; the end of the process, whatever ends it, gives it up.

    Raises:
        LeaseError: another process does not let go of it.
    """
    with (directory / LOCK).open("ab") as file:
        end = time.monotonic() + LOCK_WAIT_S
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() > end:
                    raise LeaseError(
                        f"{file.name} is held by another process for more than {LOCK_WAIT_S:g} s"
                    ) from None
                time.sleep(POLL_S)
        yield
