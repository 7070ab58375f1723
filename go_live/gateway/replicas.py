"""Several gateways before one endpoint: refused on one machine, unless each says which share of the cap is its own.

One lock file an endpoint. A gateway that stands alone holds it exclusively; replicas share it, agree by its content on
cap and number, and hold one more file each for their share. The kernel drops the locks when a process ends, in whatever
way. Other machines, containers and users are not seen here, but by the endpoint's own count (``strangers``).
"""

import fcntl
import hashlib
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from go_live.errors import UsageError

TRIES, PAUSE_S = 20, 0.02
"""A replica that begins at the same moment holds the file alone for an instant."""


class Share(msgspec.Struct, frozen=True):
    """Which part of the cap is this gateway's: the ``number``-th of ``of``."""

    number: int = 1
    of: int = 1

    def part(self, whole: int) -> int:
        """Its part of ``whole``; the parts of all shares add up to ``whole``, and the first are the larger ones."""
        return whole // self.of + (self.number <= whole % self.of)

    def __str__(self) -> str:
        """As ``--share`` takes it."""
        return f"{self.number}/{self.of}"


ALONE = Share()


class Claim(msgspec.Struct, frozen=True):
    """What a lock file says of those who hold it."""

    pid: int
    """Of the one who came first."""
    cap: int
    of: int


def parse_share(text: str, cap: int) -> Share:
    """``K/N``.

    Raises:
        UsageError: it is none, or its part of ``cap`` is nothing.
    """
    found = re.fullmatch(r"([1-9]\d{0,3})/([1-9]\d{0,3})", text)
    if found is None or int(found[1]) > int(found[2]):
        raise UsageError(f"--share {text}: write 1/2 and 2/2 for two gateways that divide the cap")
    share = Share(int(found[1]), int(found[2]))
    if not share.part(cap):
        raise UsageError(f"--share {text} of a cap of {cap} is no request at all: at most {cap} gateways can divide it")
    return share


def runtime_directory() -> Path:
    """Where this user's lock files are."""
    given = os.environ.get("XDG_RUNTIME_DIR")
    return Path(given) / "golive" if given else Path(tempfile.gettempdir()) / f"golive-{os.getuid()}"


@contextmanager
def claimed(job_api: str, endpoint_id: str, *, cap: int, share: Share = ALONE, directory: Path) -> Iterator[None]:
    """Stand before an endpoint with a share of its cap, for as long as the context lasts.

    Raises:
        UsageError: another gateway stands there already and nobody divides, or they divide otherwise; or there is no
            folder for the lock files.
    """
    name = hashlib.sha256(f"{_normal(job_api)}/{endpoint_id}".encode()).hexdigest()[:32]
    mine = Claim(os.getpid(), cap, share.of)
    with ExitStack() as stack:
        file = _opened(stack, directory, f"{name}.lock")
        if share == ALONE:
            _alone(file, mine, endpoint_id)
        else:
            _beside_others(file, mine, endpoint_id)
            slot = _opened(stack, directory, f"{name}.{share.number}.lock")
            if not _held(slot, fcntl.LOCK_EX):
                raise UsageError(f"the share {share} of endpoint {endpoint_id} is another gateway's: take another one")
        yield


def _alone(file: int, mine: Claim, endpoint_id: str) -> None:
    """Hold the endpoint's file, nobody beside."""
    if not _held(file, fcntl.LOCK_EX):
        raise UsageError(_refusal(_read(file), mine, endpoint_id))
    _write(file, mine)


def _beside_others(file: int, mine: Claim, endpoint_id: str) -> None:
    """Hold the endpoint's file together with gateways that divide the same cap in the same way."""
    if _held(file, fcntl.LOCK_EX):
        _write(file, mine)
    for _ in range(TRIES):
        if _held(file, fcntl.LOCK_SH):
            break
        time.sleep(PAUSE_S)
    else:
        raise UsageError(_refusal(_read(file), mine, endpoint_id))
    there = _read(file)
    if there is None or (there.cap, there.of) != (mine.cap, mine.of):
        raise UsageError(_refusal(there, mine, endpoint_id))


def _refusal(there: Claim | None, mine: Claim, endpoint_id: str) -> str:
    """Why a second gateway may not stand there."""
    who = f"process {there.pid}" if there is not None else "another process"
    if there is None or there.of == 1:
        return (
            f"a gateway ({who}) stands before endpoint {endpoint_id} already, and a second one would double its cap: "
            "end it, or start each with --share K/N"
        )
    return (
        f"endpoint {endpoint_id} has gateways ({who} came first) that divide a cap of {there.cap} by {there.of}, "
        f"and this one would take {_parted(mine)}: give all the same cap and the same N"
    )


def _parted(claim: Claim) -> str:
    return f"the whole cap of {claim.cap}" if claim.of == 1 else f"a part of {claim.cap} by {claim.of}"


def _normal(job_api: str) -> str:
    """The base as every spelling of it has it."""
    parts = urlsplit(job_api)
    return f"{parts.scheme.lower()}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def _opened(stack: ExitStack, directory: Path, name: str) -> int:
    """A lock file; the descriptor is no child's, and is closed with the stack."""
    path = directory / name
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise UsageError(
            f"cannot write the lock file {path}: {error.strerror}; set XDG_RUNTIME_DIR to a folder of your own"
        ) from error
    stack.callback(os.close, descriptor)
    return descriptor


def _held(descriptor: int, kind: int) -> bool:
    """Whether the lock could be had."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write(descriptor: int, claim: Claim) -> None:
    content = msgspec.json.encode(claim)
    os.pwrite(descriptor, content, 0)
    os.ftruncate(descriptor, len(content))


def _read(descriptor: int) -> Claim | None:
    """What the holder wrote; None: nothing yet."""
    try:
        return msgspec.json.decode(os.pread(descriptor, 4096, 0), type=Claim)
    except msgspec.MsgspecError:
        return None
