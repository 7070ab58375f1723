"""What a load tool is asked, and what it says."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOKENIZER = ROOT / "rehearsal" / "model"
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "NO_PROXY": "127.0.0.1,localhost",
    "no_proxy": "127.0.0.1,localhost",
}
"""Nothing but loopback is spoken to, and nothing is told to anybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One run: an endpoint, how much of it, and where the tool may write."""

    base: str
    """``…/v2/{id}/openai``: OpenAI's routes begin below it with ``/v1``."""
    key: str
    model: str
    prompts: Sequence[str]
    concurrency: int
    requests: int
    p95_limit_ms: float
    success_min: float
    folder: Path
    python: Path
    """The interpreter of the tool's environment."""

    @property
    def bin(self) -> Path:
        """Where the tool's commands lie."""
        return self.python.parent

    def environment(self) -> dict[str, str]:
        """The caller's environment, offline, with the key where each tool looks for it."""
        return os.environ | OFFLINE | {"OPENAI_API_KEY": self.key, "GATE_KEY": self.key}


@dataclass(frozen=True, slots=True)
class Reported:
    """What a tool says of a run."""

    requests: int
    """How many it counted."""
    succeeded: int
    p95_ms: float | None
    """None: it says that there is none, or reports none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One load tool."""

    name: str
    package: str | None
    """What is installed for it; None: it comes with this environment."""
    gate: str
    """The strictest verdict that its own options, or its documentation's example, can give here."""
    command: Callable[[Target], Sequence[str]]
    read: Callable[[Target], Reported]
    environment: Callable[[Target], Mapping[str, str]] = field(default=lambda target: target.environment())
