"""The rollout's decision that a gateway acts on: read from a file, believed if it is signed, remembered over restarts.

The file holds one envelope (``routing``), about one route. It is looked at often and read when it has changed. Good
decisions are kept beside it, in ``FILE.accepted``: after a restart the gateway knows which serial was the last, and if
the file is broken by then, what to go on with. What is kept is the signed envelope, so nobody has to trust it.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from pathlib import Path

import msgspec

from go_live.errors import UsageError
from go_live.evidence.run_directory import write_atomically
from go_live.gateway.keys import identity
from go_live.gateway.routing import DecisionError, RouteDecision, open_decision
from go_live.gateway.split import Chosen, Split, chosen
from go_live.release.trust import Signer, iso, parse

LOG = logging.getLogger("golive.gateway")
LOOK_S = 0.25
MOST_BYTES = 65_536
"""An envelope has some 700 bytes."""


class RouteFiles(msgspec.Struct, frozen=True):
    """Where a rollout's decision is read, and whose is believed."""

    decision: Path
    signers: Path


class Accepted(msgspec.Struct, frozen=True):
    """A decision, and the envelope it came in."""

    decision: RouteDecision
    content: bytes


class Routes:
    """The decision in force about one route, as its file says.

    A file that proves nothing leaves the last good decision in force, and the log says why; one that is gone, or a
    decision whose time is up, sends everything to the current endpoint. A decision whose key is pinned no more is
    dropped.
    """

    def __init__(self, files: RouteFiles, endpoints: Collection[str], *, wall: Callable[[], float] = time.time) -> None:
        """``endpoints`` are those behind this gateway; call ``look`` now and then.

        Raises:
            UsageError: the signers cannot be read, or are none.
        """
        self._path, self._signers_path = files.decision, files.signers
        self._endpoints, self._wall = frozenset(endpoints), wall
        self._kept_at = files.decision.with_name(f"{files.decision.name}.accepted")
        self._signers_seen = identity(files.signers)
        self._signers = read_signers(files.signers)
        self._split = Split()
        self._accepted = self._remembered()
        self._seen: object = ()
        self._there = identity(self._path) is not None
        self._believed = True
        self._told_expired = 0
        self.look()
        if self.decision is None:
            LOG.info("no decision is in force: everything goes to the endpoint that is asked for")

    @property
    def decision(self) -> RouteDecision | None:
        """The decision in force, expired or not; None: there is none, its file is gone, or its key is not pinned."""
        in_force = self._there and self._believed
        return self._accepted.decision if in_force and self._accepted is not None else None

    @property
    def route(self) -> str | None:
        """What the file decides about, as far as is known."""
        return self._accepted.decision.current if self._accepted is not None else None

    def percent(self) -> int:
        """The candidate's share at this moment."""
        return self.decision.percent_at(self._wall()) if self.decision is not None else 0

    def choose(self, asked: str, caller: str) -> Chosen:
        """Where a request goes: one arm, whether there is room in its line or not."""
        return chosen(self.decision, asked, caller, self._split, self._wall())

    def look(self) -> None:
        """Read what has changed, and say so in the log."""
        if (now := identity(self._signers_path)) != self._signers_seen:
            self._signers_seen = now
            self._read_signers_again()
        now = identity(self._path)
        if now != self._seen:
            self._seen = now
            self._read()
        self._tell_expiry()

    def _read(self) -> None:
        """Act on the file, or keep to what is in force."""
        if self._seen is None:
            if self._there:
                LOG.warning("%s is gone: everything goes to the endpoint that was asked for", self._path)
            self._there = False
            return
        try:
            self._accept(_content(self._path))
        except UsageError as error:
            stays = f"decision {self.decision.serial} stays in force" if self.decision else "none is in force"
            LOG.error("%s: %s; %s", self._path, error, stays)  # noqa: TRY400 - one line: it is no bug

    def _accept(self, content: bytes) -> None:
        """Put a decision in force.

        Raises:
            UsageError: it proves nothing, is older than the one in force, or is none for this gateway.
        """
        decision = open_decision(content, self._signers)
        before, in_force = self._accepted, self.decision
        if before is None or before.content != content:
            self._refuse_foreign(decision)
            if before is not None:
                _refuse_older(decision, before.decision)
            self._accepted = Accepted(decision, content)
            self._remember(content)
        self._there = self._believed = True
        renewed = in_force is not None and not in_force.expired(self._wall()) and _same(in_force, decision)
        LOG.log(logging.DEBUG if renewed else logging.INFO, "%s", told(decision))

    def _refuse_foreign(self, decision: RouteDecision) -> None:
        """Refuse what is about endpoints that are not here.

        Raises:
            DecisionError: it is.
        """
        for name in (decision.current, decision.candidate):
            if name not in self._endpoints:
                raise DecisionError(f"the endpoint {name!r} is not behind this gateway: start it with --endpoint")

    def _remembered(self) -> Accepted | None:
        """What was in force before this gateway began."""
        if identity(self._kept_at) is None:
            return None
        try:
            content = _content(self._kept_at)
            decision = open_decision(content, self._signers)
            self._refuse_foreign(decision)
        except UsageError as error:
            LOG.warning("%s: %s; which decision was the last is not known any more", self._kept_at, error)
            return None
        return Accepted(decision, content)

    def _remember(self, content: bytes) -> None:
        """Keep the envelope; a full disk must not keep a decision from being acted on."""
        try:
            write_atomically(self._kept_at, content)
        except OSError as error:
            LOG.error("cannot write %s (%s): a restart forgets the last decision", self._kept_at, error.strerror)  # noqa: TRY400

    def _read_signers_again(self) -> None:
        """Take the new signers, and drop a decision that none of them would be believed for."""
        try:
            self._signers = read_signers(self._signers_path)
        except UsageError as error:
            LOG.error("%s; the signers known before stay pinned", error)  # noqa: TRY400 - one line: it is no bug
            return
        self._seen = ()  # what was refused may be believed now
        if self._accepted is None:
            return
        try:
            open_decision(self._accepted.content, self._signers)
        except UsageError as error:
            self._believed = False
            LOG.error("decision %d is in force no more: %s", self._accepted.decision.serial, error)  # noqa: TRY400

    def _tell_expiry(self) -> None:
        """Say once that the time of the decision in force is up."""
        decision = self.decision
        if decision is not None and decision.serial != self._told_expired and decision.expired(self._wall()):
            self._told_expired = decision.serial
            LOG.warning("decision %d has expired: everything goes to %s", decision.serial, decision.current)


async def keep_looking(routes: Routes, tell: Callable[[Routes], None]) -> None:
    """Look every ``LOOK_S`` and ``tell`` how things stand, until cancelled; one that fails is followed by the next."""
    while True:
        try:
            routes.look()
            tell(routes)
        except Exception:
            LOG.exception("a look at the rollout's decision failed")
        await asyncio.sleep(LOOK_S)


def told(decision: RouteDecision) -> str:
    """A decision, on one line."""
    until = "the next decision" if decision.valid_until is None else iso(decision.valid_until)
    by, reason = " by caller" if decision.sticky else "", " ".join(decision.reason.split())
    return (
        f"route {decision.current}: {decision.candidate_percent} %{by} to {decision.candidate} until {until} "
        f"(rollout {decision.rollout}, decision {decision.serial}, {decision.outcome}: {reason})"
    )


def read_signers(path: Path) -> tuple[Signer, ...]:
    """Whose decisions are believed, as OpenSSH's ``allowed_signers`` has them.

    Raises:
        UsageError: the file cannot be read, is malformed, or pins nobody.
    """
    try:
        signers = parse(path.read_text(encoding="utf-8"), name=path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"cannot read the pinned signers {path}: {error}; name a file with --rollout-signers"
        ) from error
    if not signers:
        raise UsageError(f"{path} pins nobody: no decision could ever be believed")
    return signers


def _same(one: RouteDecision, other: RouteDecision) -> bool:
    """Whether one only renews the other, as a controller does several times a minute: nothing to tell."""
    renewed = ("serial", "decided_at", "valid_until", "reason")
    return all(getattr(one, name) == getattr(other, name) for name in one.__struct_fields__ if name not in renewed)


def _refuse_older(decision: RouteDecision, before: RouteDecision) -> None:
    """Refuse a way back, and another route.

    Raises:
        DecisionError: it is one.
    """
    if decision.current != before.current:
        raise DecisionError(
            f"it is about the route {decision.current}, and this file decides about {before.current}: "
            "another route needs a file of its own"
        )
    if decision.serial <= before.serial:
        raise DecisionError(f"decision {decision.serial} is not newer than {before.serial}")


def _content(path: Path) -> bytes:
    """The file's bytes.

    Raises:
        DecisionError: it cannot be read, or is far too large.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise DecisionError(f"cannot be read: {error.strerror}") from error
    if len(content) > MOST_BYTES:
        raise DecisionError(f"it is larger than {MOST_BYTES} bytes, and no decision")
    return content
