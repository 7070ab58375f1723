"""What acts: it hands the gateway a decision that is signed and newer than the last, and knows of nothing else."""

from collections.abc import Iterable
from pathlib import Path

from go_live.errors import UsageError
from go_live.evidence.run_directory import write_atomically
from go_live.gateway.routing import DecisionError, RouteDecision, open_decision
from go_live.release.trust import Signer

ACCEPTED = ".accepted"
"""Suffix of the file in which the gateway keeps what it acted on last."""


def publish(envelope: bytes, routes: Path, signers: Iterable[Signer]) -> RouteDecision:
    """Put ``envelope`` where the gateway reads; the decision in it. The one that is there already changes nothing.

    Raises:
        DecisionError: it is not signed by one of ``signers``, or not newer than what is there.
        UsageError: the file cannot be written.
    """
    pinned = tuple(signers)
    decision = open_decision(envelope, pinned)
    there = current(routes, pinned)
    if there is not None and there.serial >= decision.serial:
        if _content(routes) == envelope:
            return decision
        raise DecisionError(
            f"{routes} holds decision {there.serial} of {there.rollout}: {decision.serial} is not newer"
        )
    try:
        write_atomically(routes, envelope)
    except OSError as error:
        raise UsageError(f"cannot write {routes}: {error.strerror}; name the gateway's file with --routes") from error
    return decision


def current(routes: Path, signers: Iterable[Signer]) -> RouteDecision | None:
    """The decision that the gateway reads; None where there is none that counts."""
    try:
        return open_decision(_content(routes), signers)
    except UsageError:
        return None


def newest_serial(routes: Path, signers: Iterable[Signer]) -> int:
    """The highest serial that the gateway may know of this route; 0: none."""
    pinned = tuple(signers)
    kept = routes.with_name(routes.name + ACCEPTED)
    known = [one.serial for path in (routes, kept) if (one := current(path, pinned)) is not None]
    return max(known, default=0)


def _content(path: Path) -> bytes:
    """The file's bytes; empty where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError:
        return b""
