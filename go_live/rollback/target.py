"""The release to go back to: what its verified metadata says, or what a tag made without golive tells. Pure."""

from collections.abc import Mapping
from typing import Any

import msgspec

from go_live.management.environment import digest_of
from go_live.release.metadata import EVIDENCE, RECORD, RUN, readiness
from go_live.release.signature import TagObject
from go_live.release.verification import Verification
from go_live.release.way_back import UNKNOWN
from go_live.rollback.deployed import NO_TEMPLATE, Deployed, read_deployed


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """When and how a release was last measured healthy."""

    at: float
    """Unix time of the end of the evidence."""
    how: str
    """``2.8 s exec, 3.5 s total p50 at c=2``."""
    success: str
    """``99.95 % of 2060``."""
    answer: str
    """GO or GO-WITH-WAIVERS."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What to go back to. Empty is what nobody has told."""

    version: str
    commit: str = ""
    tag: str = ""
    """Id of the tag object, or of the commit that a lightweight tag names."""
    verified: bool = False
    """Whether all of the following was vouched for by the record."""
    image: str = ""
    """With name and digest, or the digest alone."""
    template_id: str = ""
    environment_sha256: str = ""
    endpoint_id: str = ""
    deployed: Deployed | None = None
    measured: Measured | None = None

    @property
    def digest(self) -> str:
        """``sha256:…`` of the image; empty: unknown."""
        return digest_of(f"@{self.image.rpartition('@')[2]}") or ""


def target_of(found: Verification) -> Target:
    """The target that a good verification vouches for; of any other only version, commit and tag are taken.

    Raises:
        UsageError: the metadata's endpoint_config is of another shape.
    """
    document = found.metadata
    if not found.good or document is None:
        return Target(version=found.version, commit=found.commit, tag=found.tag)
    settings = read_deployed(document["endpoint_config"])
    return Target(
        version=found.version,
        commit=found.commit,
        tag=found.tag,
        verified=True,
        image=_image(document["image"], settings),
        template_id=_known(document["template_id"]),
        environment_sha256=_known(document["environment_sha256"]),
        endpoint_id=document["endpoint_id"],
        deployed=settings,
        measured=_measured(document, found.judged_at),
    )


def named_by_hand(target: Target, *, image: str, template_id: str) -> Target:
    """A target whose image or template a person names, because no record does."""
    if target.verified:
        return target
    return msgspec.structs.replace(target, image=image or target.image, template_id=template_id or target.template_id)


def made_without_golive(tag: TagObject | None) -> bool:
    """Whether a tag claims no run, evidence or record: then there is no record to be missed.

    A tag that claims one and has none was tampered with, and is judged by ``verify``.
    """
    lines = tag.message.splitlines() if tag else []
    return not any(line.startswith((RUN, EVIDENCE, RECORD)) for line in lines)


def _image(named: str, settings: Deployed | None) -> str:
    """The image with its name, where the endpoint was told the digest that was measured; else the digest alone."""
    digest = digest_of(f"@{named.rpartition('@')[2]}")
    if digest is None:
        return ""
    if settings is not None and digest_of(settings.image) == digest:
        return settings.image
    return named if "@" in named else digest


def _measured(document: Mapping[str, Any], at: float | None) -> Measured | None:
    if at is None:
        return None
    performance, basis = document["performance"], document["performance_basis"]
    share = f"{performance['success_rate']:.2%}".replace("%", " %")
    return Measured(
        at=at,
        how=readiness(document),
        success=f"{share} of {basis['success_rate']['n']}",
        answer=document["decision"]["answer"],
    )


def _known(value: str) -> str:
    return "" if value in {UNKNOWN, NO_TEMPLATE} else value
