"""Decisions to try: signed by a pinned key unless a test says otherwise."""

import os
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from go_live.evidence.run_directory import write_atomically
from go_live.gateway.routes import RouteFiles
from go_live.gateway.routing import ROLLOUTS, RouteDecision, sign
from go_live.release.trust import ed25519_blob, line

PINNED, STRANGER = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2))
NOW = 1_800_000_000.0


def decision(percent: int = 10, serial: int = 1, **changes: Any) -> RouteDecision:
    """A decision made at NOW, good for a minute."""
    told: dict[str, Any] = {
        "rollout": "r1",
        "serial": serial,
        "current": "blue",
        "candidate": "green",
        "candidate_percent": percent,
        "sticky": False,
        "outcome": "begin",
        "reason": "step 1",
        "decided_at": NOW,
        "valid_until": NOW + 60,
    }
    return RouteDecision(**told | changes)


def pin(key: Ed25519PrivateKey, *namespaces: str) -> str:
    """The line that pins ``key``, for rollouts unless said otherwise."""
    blob = ed25519_blob(key.public_key().public_bytes_raw())
    return line("rollout@example.org", blob, *(namespaces or (ROLLOUTS,)))


def files(folder: Path) -> RouteFiles:
    """A signers file that pins PINNED, and where the decision will be."""
    signers = folder / "rollout_signers"
    signers.write_text(pin(PINNED))
    return RouteFiles(folder / "route.json", signers)


def publish(path: Path, told: RouteDecision, key: Ed25519PrivateKey = PINNED) -> None:
    """Write a decision as its controller does."""
    write_atomically(path, sign(told, key))


def touched(path: Path, content: bytes) -> None:
    """Write anything, so that it is seen to have changed."""
    path.write_bytes(content)
    os.utime(path, ns=(1, hash(content) % 10**9))
