"""Does an endpoint answer, and as what? A probe, and golden prompts whose answers are checked."""

import asyncio
import secrets
from collections.abc import Sequence
from typing import Any

import msgspec

from go_live.jobs.client import Endpoint
from go_live.load.prompts import golden_load
from go_live.load.runner import Prompt
from go_live.records import ErrorClass

PROMPTS = 3
"""Golden prompts that a smoke asks."""


class Smoke(msgspec.Struct, frozen=True, kw_only=True):
    """What a smoke saw."""

    commit: str = ""
    """The build that the probe names; empty: no probe was answered."""
    image: str = ""
    """Digest that the probe names; empty: none."""
    asked: int
    problems: tuple[str, ...]
    """What was wrong, one line each; empty: nothing."""

    @property
    def good(self) -> bool:
        """Whether all of it was answered rightly."""
        return self.asked > 0 and not self.problems


async def smoke(endpoint: Endpoint, *, max_tokens: int, deadline_s: float, timed: bool = False) -> Smoke:
    """Probe ``endpoint`` and ask it golden prompts, all at once.

    Args:
        endpoint: open.
        max_tokens: of an answer.
        deadline_s: how long each job may take.
        timed: whether answers of the timed engine count (the test profile alone).
    """
    nonce = secrets.token_hex(8)
    prompts = golden_load(max_tokens)[:PROMPTS]
    probe, *problems = await asyncio.gather(
        _probe(endpoint, nonce, deadline_s),
        *(_asked(endpoint, prompt, deadline_s, timed=timed) for prompt in prompts),
    )
    told, trouble = probe
    found = [trouble, *problems]
    return Smoke(
        commit=_name(told, "commit"),
        image=_name(told, "image").rpartition("@")[2],
        asked=1 + len(prompts),
        problems=tuple(problem for problem in found if problem),
    )


def serves(found: Smoke, *, commit: str, digest: str) -> list[str]:
    """Where what answered is not the build that it should be, one line each.

    Args:
        found: the smoke.
        commit: the build's commit; empty: any.
        digest: of its image; empty: any.
    """
    wrong = []
    if commit and found.commit != commit:
        wrong.append(f"the endpoint serves commit {found.commit[:12] or 'unknown'}, not {commit[:12]}")
    if digest and found.image and found.image != digest:
        wrong.append(f"the endpoint serves image {found.image.removeprefix('sha256:')[:12]}, not {digest[7:19]}")
    return wrong


async def _probe(endpoint: Endpoint, nonce: str, deadline_s: float) -> tuple[dict[str, Any], str]:
    """What the worker tells of itself, and what is wrong with that."""
    answer = await endpoint.complete({"probe": {"nonce": nonce}}, deadline_s=deadline_s, needs_text=False)
    if answer.error is not None:
        return {}, f"the probe was not answered: {answer.error}: {answer.detail}"
    probe = answer.output.get("probe") if isinstance(answer.output, dict) else None
    if not isinstance(probe, dict):
        return {}, "the probe's answer has no probe"
    return probe, "" if probe.get("nonce") == nonce else "the probe's nonce came back changed"


async def _asked(endpoint: Endpoint, prompt: Prompt, deadline_s: float, *, timed: bool) -> str:
    """What is wrong with the answer to ``prompt``; empty: nothing."""
    answer = await endpoint.complete(prompt.input, deadline_s=deadline_s)
    if answer.error is not None:
        return f"prompt {prompt.id}: {answer.error}: {answer.detail}"
    if answer.engine == "timed" and not timed:
        return f"prompt {prompt.id}: answered by the timed engine, which serves no model"
    judged = prompt.expect(answer) if callable(prompt.expect) else None
    return f"prompt {prompt.id}: another answer than the golden one" if judged is ErrorClass.WRONG else ""


def _name(told: dict[str, Any], name: str) -> str:
    value = told.get(name)
    return value if isinstance(value, str) and value != "unknown" else ""


def shown(problems: Sequence[str], *, asked: int) -> str:
    """The smoke in half a sentence."""
    if not problems:
        return f"{asked} jobs answered rightly"
    return f"{len(problems)} of {asked}: {problems[0]}"
