"""A rollout that never was, in a project: made by the real controller in a world whose clock jumps; and its defects."""

import functools
import shutil
import tempfile
import threading
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from go_live.evidence import dsse
from go_live.gateway.routes import read_signers
from go_live.gateway.routing import ROLLOUTS
from go_live.release.trust import ed25519_raw, line
from go_live.rollout.book import JUDGEMENT_TYPE
from go_live.rollout.proof import BASE, WATCH
from rehearsal.traffic import Quality
from selftest.control import Act
from selftest.rollout_world import World, settings

LOOK_S = 600.0
"""Hours pass in seconds: the controller looks so seldom."""
SLOW = Quality(exec_ms=Quality().exec_ms * 1.3)
WEARING_OUT = Quality(worsens_per_hour=0.02)
"""By half within a day; every limit still holds."""
BLIND = 1.0
"""A margin at which a candidate may take twice as long: a judge that sees nothing."""
ABOUT_ROLLOUTS: frozenset[Act] = frozenset(
    {"rollout judged by a stranger", "rollout judged by a blind judge", "watch of what wears out"}
)


_ONE_AT_A_TIME = threading.Lock()


def prepare(project: Path) -> None:
    """Leave a rollout behind that passed, with its watch."""
    _put(project, Quality(), "shipped", watched=True)


def about_rollouts(act: Act, project: Path) -> None:
    """Do ``act`` to the rollout of ``project``, or exchange it for another."""
    match act:
        case "rollout judged by a stranger":
            path = next((project / BASE).glob("*/step-50.json"))
            payload = dsse.unseal(path.read_bytes(), _pinned(project), payload_type=JUDGEMENT_TYPE).payload
            stranger = {"SHA256:stranger": Ed25519PrivateKey.generate()}
            path.write_bytes(dsse.seal(payload, stranger, payload_type=JUDGEMENT_TYPE))
        case "rollout judged by a blind judge":
            _put(project, SLOW, "blind", watched=False)
        case "watch of what wears out":
            _put(project, WEARING_OUT, "shipped", watched=True)


def _put(project: Path, candidate: Quality, judge: str, *, watched: bool) -> None:
    """Put a finished rollout, and the signers who are believed, into ``project``."""
    shutil.rmtree(project / BASE, ignore_errors=True)
    with _ONE_AT_A_TIME:
        made = _made(candidate, judge, watched=watched)
    shutil.copytree(made / BASE, project / BASE)
    shutil.copy(made / "rollout_signers", project / "rollout_signers")


@functools.cache
def _made(candidate: Quality, judge: str, *, watched: bool) -> Path:
    """Make one, once for all the projects that need it; the folder is left to the system's cleaning."""
    folder = Path(tempfile.mkdtemp(prefix="golive-rollout-"))
    seldom = {"look_every_s": LOOK_S, "lease_s": 3 * LOOK_S, "decision_valid_s": 3 * LOOK_S}
    margins = {"latency_margin": BLIND} if judge == "blind" else {}
    world = World(folder / BASE, candidate, config=settings(**seldom, **margins), per_second=1.0)
    state = world.run()
    if watched:
        world.slow_down(per_second=0.1)
        state = world.watch()
    last = state.parts[-1]
    if last.name != (WATCH if watched else "step-100") or last.ended_at is None:
        raise RuntimeError(f"the rollout that a scene needs is {state.phase}: {state.reason}")
    key = world.setting.key
    (folder / "rollout_signers").write_text(line("rollout@example.org", key.blob, ROLLOUTS), encoding="utf-8")
    return folder


def _pinned(project: Path) -> dict[str, bytes]:
    """The keys that are believed, by name."""
    signers = read_signers(project / "rollout_signers")
    return {one.fingerprint: raw for one in signers if (raw := ed25519_raw(one.key)) is not None}
