"""Is the rebuild complete: on every worker, and is it the build that is released."""

from typing import Any

import msgspec
import pytest

from go_live.management.models import Rollout, Worker
from go_live.management.rebuild import rebuild_verdicts
from go_live.management.table import Live
from go_live.outcome import Outcome, worst
from tests.go_live.management.test_compare import DIGEST, IMAGE, OTHER_DIGEST, endpoint, live

COMMIT = "c" * 40
PROBE = {"commit": COMMIT, "image": DIGEST}
WORKER = live().workers.workers[0]


def with_workers(
    *workers: Worker, rollout: Rollout | None = None, versions: tuple[int | None, int | None] = (3, 3)
) -> Live:
    """The endpoint with these workers; its rollout counts those that are not stale."""
    before = live()
    latest = sum(not one.is_stale for one in workers)
    percent = 100 * latest // len(workers) if workers else 0
    counted = Rollout(
        in_progress=latest < len(workers),
        workers_on_latest=latest,
        workers_total=len(workers),
        percent_on_latest=percent,
    )
    return msgspec.structs.replace(
        before,
        workers=msgspec.structs.replace(before.workers, workers=workers, endpoint_version=versions[0]),
        releases=msgspec.structs.replace(before.releases, rollout=rollout or counted, endpoint_version=versions[1]),
    )


def judged(found: Live, probe: dict[str, Any] | None = None, image: str | None = None) -> tuple[Outcome, str]:
    """The worst of the verdicts and all their reasons."""
    verdicts = rebuild_verdicts(found, PROBE if probe is None else probe, commit=COMMIT, image=image)
    return worst(verdict.outcome for verdict in verdicts), " | ".join(verdict.reason for verdict in verdicts)


def test_a_complete_rebuild_passes() -> None:
    """All workers on the newest release, one image everywhere, the released commit."""
    assert judged(with_workers(WORKER, WORKER), image=IMAGE)[0] is Outcome.PASS


STALE = msgspec.structs.replace(WORKER, id="old", is_stale=True, version=2)
UNFLAGGED = msgspec.structs.replace(WORKER, id="old", version=2)
OTHER = msgspec.structs.replace(WORKER, id="odd", image=f"x/y@{OTHER_DIGEST}")
FLAGGED = msgspec.structs.replace(WORKER, id="odd one", is_stale=True)
COMPLETE = Rollout(in_progress=False, workers_on_latest=1, workers_total=1, percent_on_latest=100)
GOING_ON = Rollout(in_progress=True, workers_on_latest=1, workers_total=1, percent_on_latest=100)
HALF = Rollout(in_progress=False, workers_on_latest=1, workers_total=1, percent_on_latest=99)


@pytest.mark.parametrize(
    ("found", "probe", "image", "said"),
    [
        (with_workers(WORKER, STALE), None, None, "1 of 2 workers run release 3 (50 %); old runs an older one"),
        (with_workers(FLAGGED, rollout=COMPLETE), None, None, "odd one runs an older one"),
        (with_workers(WORKER, UNFLAGGED), None, None, "old runs an older one"),
        (with_workers(WORKER, rollout=GOING_ON), None, None, "1 of 1 workers"),
        (with_workers(WORKER, rollout=HALF), None, None, "(99 %)"),
        (with_workers(WORKER, OTHER), None, None, "worker odd runs bbbbbbbbbbbb, the endpoint names aaaaaaaaaaaa"),
        (live(), {"commit": COMMIT, "image": OTHER_DIGEST}, None, "the probe was answered by bbbbbbbbbbbb"),
        (live(), {"commit": "d" * 40, "image": DIGEST}, None, "the probe names commit dddddddddddd"),
        (live(), {"image": DIGEST}, None, "the probe names commit unknown"),
        (live(), None, f"x/y@{OTHER_DIGEST}", "released is bbbbbbbbbbbb"),
        (live(endpoint(image="a/b:latest")), None, None, "not pinned by digest"),
    ],
)
def test_what_is_another_build_fails(found: Live, probe: dict[str, Any] | None, image: str | None, said: str) -> None:
    """A stale worker, another image or another commit is a FAIL that names it."""
    outcome, reasons = judged(found, probe, image)
    assert outcome is Outcome.FAIL
    assert said in reasons


UNTOLD = msgspec.structs.replace(WORKER, image=None)


@pytest.mark.parametrize(
    ("found", "probe", "image", "said"),
    [
        (with_workers(), None, None, "no worker is active"),
        (with_workers(WORKER, versions=(3, 4)), None, None, "different moments"),
        (with_workers(UNTOLD), None, None, "does not tell by digest which image worker w1 runs"),
        (live(), {"commit": COMMIT}, None, "the probe names no image"),
        (live(), None, "a/b:tag", "not named by digest"),
    ],
)
def test_what_shows_nothing_is_inconclusive(
    found: Live, probe: dict[str, Any] | None, image: str | None, said: str
) -> None:
    """Without workers, without an image, between two releases: nothing is shown either way."""
    outcome, reasons = judged(found, probe, image)
    assert outcome is Outcome.INCONCLUSIVE
    assert said in reasons


def test_an_unknown_version_is_judged_by_the_flag() -> None:
    """A legacy endpoint tells no version: ``isStale`` and the image decide."""
    unversioned = msgspec.structs.replace(WORKER, version=None)
    assert judged(with_workers(unversioned, versions=(None, None)))[0] is Outcome.PASS
    stale = msgspec.structs.replace(unversioned, is_stale=True)
    assert judged(with_workers(stale, versions=(None, None)))[0] is Outcome.FAIL
