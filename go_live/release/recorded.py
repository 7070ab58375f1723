"""The record of a release, read into what it says. Pure.

Of the plan only what a decision needs is read: a record stays legible when later golive.toml files have other keys.
"""

import gzip
import zlib
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from go_live.checklist import Item, Repository, Target, required_ids
from go_live.config import ProfileName
from go_live.decide import Decision, ItemResult, decide
from go_live.errors import UsageError
from go_live.release.metadata import METADATA_NAME, read
from go_live.waivers import Terms, Waiver

PLAN, LOG, VERDICTS, DECISION = "plan.json", "log.jsonl", "verdicts.json", "decision.json"


class _Release(msgspec.Struct, frozen=True):
    """Of golive.toml's ``[release]``."""

    version: str


class _Config(msgspec.Struct, frozen=True):
    """Of golive.toml."""

    release: _Release


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """Of plan.json."""

    run_id: str
    profile: ProfileName
    target: Target
    repository: Repository
    items: tuple[Item, ...]
    required: tuple[str, ...]
    selected: tuple[str, ...]
    config: _Config
    waivers: tuple[Waiver, ...] = ()

    def terms(self, now: float) -> Terms:
        """What a decision at ``now`` (Unix time) has to keep to."""
        return Terms(
            now=now,
            ages={item.id: item.evidence_days for item in self.items},
            version=self.config.release.version,
            commit=self.repository.commit,
            waivers=self.waivers,
            never=tuple(item.id for item in self.items if not item.waivable),
        )


class Concluded(msgspec.Struct, frozen=True):
    """Of verdicts.json."""

    items: tuple[ItemResult, ...]
    evidence: dict[str, str] = {}


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """What a record says; a part that is missing or illegible is None, and ``troubles`` says why."""

    metadata: dict[str, Any] | None
    plan: Planned | None
    concluded: Concluded | None
    decision: Decision | None
    log: bytes | None
    """log.jsonl, unpacked."""
    troubles: tuple[str, ...]

    @property
    def judged_at(self) -> float | None:
        """Unix time of the end of the evidence, by which the decision was made."""
        return self.decision.at if self.decision else None


_Told = TypeVar("_Told", Planned, Concluded, Decision)


def read_record(files: Mapping[str, bytes]) -> Recorded:
    """What the files of a record say."""
    troubles: list[str] = []

    def told(name: str, kind: type[_Told]) -> _Told | None:
        try:
            return msgspec.json.decode(files[name], type=kind)
        except KeyError:
            troubles.append(f"the record has no {name}")
        except msgspec.DecodeError as error:
            troubles.append(f"the recorded {name} cannot be read: {error}")
        return None

    return Recorded(
        metadata=_metadata(files, troubles),
        plan=told(PLAN, Planned),
        concluded=told(VERDICTS, Concluded),
        decision=told(DECISION, Decision),
        log=_log(files, troubles),
        troubles=tuple(troubles),
    )


def decide_again(plan: Planned, concluded: Concluded, at: float) -> Decision:
    """The decision that follows from plan and verdicts, as of ``at``.

    Raises:
        UsageError: the plan does not require what its own checklist demands of its profile.
    """
    if plan.required != required_ids(plan.items, plan.profile):
        raise UsageError("the recorded plan does not require what its checklist demands")
    return decide(
        run_id=plan.run_id,
        profile=plan.profile,
        required=plan.required,
        selected=plan.selected,
        results=concluded.items,
        terms=plan.terms(at),
    )


def _metadata(files: Mapping[str, bytes], troubles: list[str]) -> dict[str, Any] | None:
    """The metadata, valid against its schema."""
    if METADATA_NAME not in files:
        troubles.append(f"the record has no {METADATA_NAME}")
        return None
    try:
        return read(files[METADATA_NAME])
    except UsageError as error:
        troubles.append(f"the recorded {error}")
        return None


def _log(files: Mapping[str, bytes], troubles: list[str]) -> bytes | None:
    """The log, which a record keeps compressed."""
    if LOG in files:
        return files[LOG]
    try:
        return gzip.decompress(files[f"{LOG}.gz"])
    except KeyError:
        troubles.append(f"the record has no {LOG}.gz")
    except (OSError, EOFError, zlib.error) as error:
        troubles.append(f"the recorded {LOG}.gz cannot be unpacked: {error}")
    return None
