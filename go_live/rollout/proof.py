"""ROL-1 and ROL-2 of a rollout's directory: proven by signed decisions, signed judgements and their evidence, or not.

Nothing in the directory is believed for what it says: decisions and judgements have to be signed by a pinned key, the
lines that a part was judged by have to be those of its digest and of its decisions, and they are judged once more.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from go_live.config import Config
from go_live.errors import UsageError
from go_live.gateway.routes import read_signers
from go_live.gateway.routing import ALL, RouteDecision
from go_live.outcome import Outcome, Verdict
from go_live.release.trust import Signer
from go_live.rollout import book
from go_live.rollout.book import Judgement
from go_live.rollout.judging import Judged, judge
from go_live.rollout.seen import Request
from go_live.rollout.state import State
from go_live.rollout.watch import judge_watch

STEPPED, WATCHED = "ROL-1", "ROL-2"
WATCH = "watch"
TO_DO = "golive rollout start"


BASE = Path("reports/rollout")
"""Below the project's root: where rollouts are kept."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a rollout has to be about, and whom to believe."""

    config: Config
    signers: tuple[Signer, ...]
    candidate: str
    """The endpoint that was validated: it has to be the one that traffic moved to."""

    @property
    def version(self) -> str:
        """The release."""
        return self.config.release.version


def answer(item: str, root: Path, config: Config, base: Path = BASE, signers: Path | None = None) -> Verdict:
    """The verdict on ``item``, from the newest rollout of golive.toml's release.

    Args:
        item: ``ROL-1`` or ``ROL-2``.
        root: the project's root.
        config: what is released, by which limits.
        base: where rollouts are kept.
        signers: file of those who are believed; None: the one that golive.toml names.
    """
    judge_it = {STEPPED: stepped, WATCHED: watched}[item]
    try:
        directory = newest(root / base, config.release.version)
        # Where there is no rollout, nobody has to be believed.
        path = signers or root / config.rollout.signers
        pinned = read_signers(path) if directory is not None else ()
    except UsageError as error:
        return _verdict(item, Outcome.ERROR, str(error))
    return judge_it(directory, Asked(config=config, signers=pinned, candidate=config.endpoint.id))


def newest(base: Path, version: str) -> Path | None:
    """The directory of the rollout of ``version`` that began last; None: there is none."""
    states = [(state.began_at, path) for path, state in rollouts(base) if state.version == version]
    return max(states)[1] if states else None


def rollouts(base: Path) -> Iterator[tuple[Path, State]]:
    """Every rollout's directory below ``base``, and where it stands.

    Raises:
        UsageError: a state cannot be read.
    """
    for path in sorted(base.glob(f"*/{book.STATE}")):
        state = book.read_state(path.parent)
        if state is not None:
            yield path.parent, state


def stepped(directory: Path | None, asked: Asked) -> Verdict:
    """ROL-1: traffic moved up all steps, and no step was worse."""
    steps = asked.config.rollout.steps_percent
    claim = f"traffic moved {', '.join(f'{percent} %' for percent in steps)} without a step that was worse"
    if directory is None:
        return _verdict(claim, Outcome.NOT_RUN, f"there is no rollout of {asked.version} yet: {TO_DO}")
    told = []
    decisions = _decisions(directory, asked)
    for percent in steps:
        name = f"step-{percent}"
        found = _part(directory, name, decisions, asked)
        if isinstance(found, Verdict):
            return _verdict(claim, found.outcome, found.reason)
        judgement, judged = found
        if judgement.percent != percent or judged.outcome is not Outcome.PASS:
            return _verdict(claim, judged.outcome, f"{name}: {judged.reason}")
        told.append(f"{judged.candidate.exposed} requests at {percent} %")
    last = next((one for one in reversed(decisions) if one.candidate_percent == ALL), None)
    if last is None or last.outcome != "pass" or last.valid_until is not None:
        return _verdict(claim, Outcome.INCONCLUSIVE, "no signed decision left all of the traffic with the candidate")
    return _verdict(claim, Outcome.PASS, f"each step passed, and passes again: {', '.join(told)}")


def watched(directory: Path | None, asked: Asked) -> Verdict:
    """ROL-2: the hours of watch after that passed within the limits."""
    hours = asked.config.rollout.watch.hours
    claim = f"{hours:g} hours of watch passed within the limits"
    if directory is None:
        return _verdict(claim, Outcome.NOT_RUN, f"there is no rollout of {asked.version} yet: {TO_DO}")
    found = _part(directory, WATCH, _decisions(directory, asked), asked)
    if isinstance(found, Verdict):
        return _verdict(claim, found.outcome, found.reason)
    judged = found[1]
    return _verdict(claim, judged.outcome, judged.reason)


def _decisions(directory: Path, asked: Asked) -> list[RouteDecision]:
    return [decision for decision, _ in book.decisions(directory, asked.signers)]


def _part(
    directory: Path, name: str, decisions: list[RouteDecision], asked: Asked
) -> tuple[Judgement, Judged] | Verdict:
    """The judgement of a part, and what its evidence says when it is judged again; a verdict: why it proves nothing."""
    path = directory / f"{name}.json"
    if not path.exists():
        return _verdict(name, Outcome.NOT_RUN, f"{name} of {directory.name} has not ended")
    try:
        judgement = book.open_judgement(path.read_bytes(), asked.signers)
        content = book.evidence(directory, name)
        requests = [msgspec.json.decode(line, type=Request) for line in content.splitlines()]
    except (UsageError, OSError, msgspec.MsgspecError) as error:
        return _verdict(name, Outcome.FAIL, f"{name} proves nothing: {error}")
    problem = next(_problems(judgement, name, content, requests, decisions, asked), None)
    if problem is not None:
        return _verdict(name, Outcome.FAIL, f"{name} proves nothing: {problem}")
    elapsed_s, began_at = judgement.ended_at - judgement.began_at, judgement.began_at
    if name == WATCH:
        return judgement, judge_watch(requests, elapsed_s=elapsed_s, began_at=began_at, config=asked.config)
    return judgement, judge(requests, percent=judgement.percent, elapsed_s=elapsed_s, config=asked.config)


def _problems(
    judgement: Judgement,
    name: str,
    content: bytes,
    requests: list[Request],
    decisions: list[RouteDecision],
    asked: Asked,
) -> Iterator[str]:
    """Why a signed judgement does not speak of this part of this release's rollout."""
    if judgement.name != name:
        yield f"it is the judgement of {judgement.name}"
    if judgement.version != asked.version:
        yield f"it is about {judgement.version}"
    if judgement.candidate != asked.candidate:
        yield f"the candidate was {judgement.candidate}, and {asked.candidate} was validated"
    if hashlib.sha256(content).hexdigest() != judgement.evidence:
        yield "its requests are not those that were judged"
    first, last = judgement.first_serial, judgement.last_serial
    mine = [one for one in decisions if one.rollout == judgement.rollout and first <= one.serial <= last]
    begun = [one for one in mine if one.serial == first]
    if not begun or begun[0].outcome not in {"begin", "pass"}:
        yield f"no signed decision began it (decision {first})"
    strangers = {one.candidate_percent for one in mine if one.candidate == judgement.candidate} ^ {judgement.percent}
    if strangers:
        yield f"the signed decisions of it gave the candidate {sorted(strangers)} %"
    signed = {one.serial for one in mine}
    if any(one.rollout != judgement.rollout or one.serial not in signed for one in requests):
        yield "a request of it came under no signed decision"


def _verdict(claim: str, outcome: Outcome, reason: str) -> Verdict:
    return Verdict(claim=claim, outcome=outcome, reason=reason)
