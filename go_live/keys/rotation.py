"""Rotation: facts about the new and the old key -> verdicts. Pure.

The protocol (docs/keys.md): create a new key, deploy it, see that it works, disable the old one, see that it is
refused. RunPod has no API for keys, so a person does it and golive verifies it.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from go_live.keys.probe import Answer, Said
from go_live.outcome import Outcome, Verdict

Deployed = Literal["same", "other", "not given", "not yet"]
"""Whether a caller's fingerprint is the new key's; ``not yet``: golive.toml declares that the caller does not exist."""

UNMEASURED = {Answer.THROTTLED, Answer.BROKEN, Answer.NOT_THE_API, Answer.UNREACHABLE}
"""Answers that say nothing about a key."""


class Previous(msgspec.Struct, frozen=True, kw_only=True):
    """The key of the last release, as its record names it."""

    version: str
    recorded: bool
    """Whether the record holds a fingerprint."""
    is_old: bool | None
    """Whether it is the old key; None: no old key, or no fingerprint."""
    is_new: bool
    """Whether it is the new key: then nothing was rotated."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What was found out. No key stands here."""

    new: Said
    old: Said | None
    """None: no old key was given."""
    same: bool
    """Whether old and new key are one."""
    previous: Previous | None
    """None: no release has been recorded."""
    first_release: bool
    exposed: int
    """RunPod keys that the scan found and the baseline does not accept."""
    deployed: Mapping[str, Deployed]
    """By caller: the gateway, CI."""
    old_env: str
    """Name of the variable that holds the old key."""


def judge(facts: Facts) -> list[Verdict]:
    """One verdict for each step of the protocol."""
    return [
        _new_works(facts.new),
        _old_refused(facts),
        _rotated(facts),
        _not_exposed(facts.exposed),
        *(_deployed(caller, state) for caller, state in facts.deployed.items()),
    ]


def _verdict(claim: str, outcome: Outcome, reason: str) -> Verdict:
    return Verdict(claim=claim, outcome=outcome, reason=reason)


def _new_works(said: Said) -> Verdict:
    claim = "the new key works"
    if said.answer is Answer.WORKS:
        return _verdict(claim, Outcome.PASS, "the new key works: /health answered HTTP 200")
    outcome = Outcome.ERROR if said.answer in UNMEASURED else Outcome.FAIL
    return _verdict(claim, outcome, f"the new key: {said.answer} ({said.detail})")


def _old_refused(facts: Facts) -> Verdict:
    claim, said = "the old key is refused with 401", facts.old
    if said is None:
        reason = f"no old key was given: put it into {facts.old_env} to show that it is refused"
        return _verdict(claim, Outcome.INCONCLUSIVE, reason)
    told = f"the old key: {said.answer} ({said.detail})"
    if said.answer is Answer.REFUSED:
        if facts.new.answer is not Answer.WORKS:
            # An API that refuses everybody refuses the old key too.
            return _verdict(claim, Outcome.INCONCLUSIVE, f"{told}, but the new key does not work either")
        return _verdict(claim, Outcome.PASS, told)
    if said.answer is Answer.WORKS:
        return _verdict(claim, Outcome.FAIL, f"{told}: disable and delete it in the console")
    if said.answer in UNMEASURED:
        return _verdict(claim, Outcome.ERROR, told)
    return _verdict(claim, Outcome.INCONCLUSIVE, f"{told}, not refused with 401: it may still be enabled")


def _rotated(facts: Facts) -> Verdict:
    claim, previous = "the old key is the last release's, and the new one is another", facts.previous
    if facts.same:
        return _verdict(claim, Outcome.FAIL, "old and new key are the same: nothing was rotated")
    if previous is None:
        return _without_record(claim, facts)
    if previous.is_new:
        return _verdict(claim, Outcome.FAIL, f"the new key is the one of {previous.version}: nothing was rotated")
    if not previous.recorded:
        reason = f"the record of {previous.version} holds no fingerprint, so it cannot be told which key is its"
        return _verdict(claim, Outcome.INCONCLUSIVE, reason)
    if previous.is_old is None:
        return _verdict(claim, Outcome.INCONCLUSIVE, f"no old key was given: put it into {facts.old_env}")
    if not previous.is_old:
        reason = f"the old key is not the one that {previous.version} was released with"
        return _verdict(claim, Outcome.FAIL, reason)
    return _verdict(claim, Outcome.PASS, f"the old key is that of {previous.version}, the new one another")


def _without_record(claim: str, facts: Facts) -> Verdict:
    """No release is recorded: fine for the first one, and said."""
    if not facts.first_release:
        reason = "no earlier release is recorded here: fetch the records branch (docs/keys.md)"
        return _verdict(claim, Outcome.INCONCLUSIVE, reason)
    if facts.old is None:
        return _verdict(claim, Outcome.INCONCLUSIVE, f"no old key was given: put it into {facts.old_env}")
    reason = "first release: no previous fingerprint to compare with; the new key differs from the old one"
    return _verdict(claim, Outcome.PASS, reason)


def _not_exposed(exposed: int) -> Verdict:
    claim = "no RunPod key stands in the tree or its history"
    if exposed:
        return _verdict(claim, Outcome.FAIL, f"{exposed} found: `golive keys scan` shows where")
    return _verdict(claim, Outcome.PASS, "the scan found none")


def _deployed(caller: str, state: Deployed) -> Verdict:
    claim = f"{caller} uses the new key"
    match state:
        case "same":
            return _verdict(claim, Outcome.PASS, f"{caller}'s fingerprint is the new key's")
        case "other":
            return _verdict(claim, Outcome.FAIL, f"{caller} uses another key: deploy the new one there")
        case "not yet":
            reason = f"first release: golive.toml declares that there is no {caller} yet"
            return _verdict(claim, Outcome.NOT_APPLICABLE, reason)
        case "not given":
            reason = f"the fingerprint of {caller}'s key was not given: run `golive keys fingerprint` there"
            return _verdict(claim, Outcome.INCONCLUSIVE, reason)
