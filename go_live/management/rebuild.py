"""INF-7 and REL-4: is the newest release on every worker, and is it the build that is being released? Pure."""

from collections.abc import Mapping
from typing import Any

from go_live.management.environment import digest_of
from go_live.management.table import Live
from go_live.outcome import Outcome, Verdict

SHOWN = 12


def rollout_verdict(live: Live) -> Verdict:
    """The newest release is on 100 % of the workers, and none is stale.

    No active worker shows nothing: INCONCLUSIVE.
    """
    claim = "the newest release is on 100 % of the workers, none stale"
    rollout, workers = live.releases.rollout, live.workers
    total = len(workers.workers)
    versions = {live.releases.endpoint_version, workers.endpoint_version} - {None}
    if not total or not rollout.workers_total:
        why = "no worker is active, so nothing shows what they run: wake one and ask again"
        return Verdict(claim=claim, outcome=Outcome.INCONCLUSIVE, reason=why, n=total)
    if len(versions) > 1 or rollout.workers_total != total:
        why = "releases and workers speak of different moments: the endpoint is changing, ask again"
        return Verdict(claim=claim, outcome=Outcome.INCONCLUSIVE, reason=why, n=total)
    newest = next(iter(versions), None)
    stale = [one.id for one in workers.workers if one.is_stale or (newest and one.version not in {None, newest})]
    on_latest, percent = rollout.workers_on_latest, rollout.percent_on_latest
    if stale or rollout.in_progress or on_latest < rollout.workers_total or percent < 100:  # noqa: PLR2004 - a whole
        named = f"; {stale[0]} runs an older one" if stale else ""
        why = f"{on_latest} of {rollout.workers_total} workers run release {newest} ({percent} %){named}"
        return Verdict(claim=claim, outcome=Outcome.FAIL, reason=why, n=total, misses=max(len(stale), 1))
    why = f"{total} of {total} workers run release {newest}"
    return Verdict(claim=claim, outcome=Outcome.PASS, reason=why, n=total, misses=0)


def image_verdict(live: Live, probe: Mapping[str, Any], declared: str | None) -> Verdict:
    """Endpoint, workers, the worker that answered the probe, and golive.toml name one image, by digest."""
    claim = "every worker runs the image that is being released"
    workers = live.workers.workers
    n = len(workers) + 1
    if problems := _image_problems(live, probe, declared):
        return Verdict(claim=claim, outcome=Outcome.FAIL, reason=problems[0], n=n, misses=len(problems))
    if doubts := _image_doubts(live, probe, declared):
        return Verdict(claim=claim, outcome=Outcome.INCONCLUSIVE, reason=doubts[0], n=n)
    why = f"endpoint, {len(workers)} workers and the probe name {_shown(digest_of(live.endpoint.image))}"
    return Verdict(claim=claim, outcome=Outcome.PASS, reason=why, n=n, misses=0)


def _image_problems(live: Live, probe: Mapping[str, Any], declared: str | None) -> list[str]:
    """What is shown to be another image."""
    configured = digest_of(live.endpoint.image)
    if configured is None:
        return [f"the endpoint's image {live.endpoint.image!r} is not pinned by digest: what it names can change"]
    found = [
        f"worker {one.id} runs {_shown(digest)}, the endpoint names {_shown(configured)}"
        for one in live.workers.workers
        if (digest := digest_of(one.image or "")) not in {None, configured}
    ]
    wanted, named = digest_of(declared or ""), _probed(probe)
    if wanted not in {None, configured}:
        found.append(f"the endpoint names {_shown(configured)}, released is {_shown(wanted)}")
    if named not in {"unknown", configured}:
        found.append(f"the probe was answered by {_shown(named)}, the endpoint names {_shown(configured)}")
    return found


def _image_doubts(live: Live, probe: Mapping[str, Any], declared: str | None) -> list[str]:
    """What does not show which image it is."""
    found = [] if live.workers.workers else ["no worker is active, so nothing shows what they run"]
    if declared and digest_of(declared) is None:
        found.append("the declared image is not named by digest: declare image@sha256:…")
    if _probed(probe) == "unknown":
        found.append("the probe names no image: set IMAGE_DIGEST on the endpoint to the digest of its image")
    untold = [one.id for one in live.workers.workers if digest_of(one.image or "") is None]
    found += [f"the API does not tell by digest which image worker {name} runs" for name in untold]
    return found


def _probed(probe: Mapping[str, Any]) -> str:
    """The digest that the worker names, with or without the image's name before it."""
    return str(probe.get("image") or "unknown").rpartition("@")[2]


def commit_verdict(probe: Mapping[str, Any], commit: str) -> Verdict:
    """The worker that answered the probe was built from the commit that is being released."""
    claim = f"the endpoint serves commit {commit[:SHOWN]}"
    served = str(probe.get("commit") or "unknown")
    if served == commit:
        return Verdict(claim=claim, outcome=Outcome.PASS, reason="the probe names it", n=1, misses=0)
    why = f"the probe names commit {served[:SHOWN]}, released is {commit[:SHOWN]}"
    return Verdict(claim=claim, outcome=Outcome.FAIL, reason=why, n=1, misses=1)


def rebuild_verdicts(live: Live, probe: Mapping[str, Any], *, commit: str, image: str | None) -> tuple[Verdict, ...]:
    """All that "the rebuild is complete" claims.

    Args:
        live: the endpoint.
        probe: the worker's answer to a probe.
        commit: the one that is being released.
        image: the one that is being released, as it is declared; None: none is.
    """
    return (rollout_verdict(live), image_verdict(live, probe, image), commit_verdict(probe, commit))


def _shown(digest: str | None) -> str:
    return (digest or "unknown").removeprefix("sha256:")[:SHOWN]
