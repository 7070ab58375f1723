"""The local endpoint as a target: the real worker behind our RunPod-compatible server on loopback."""

import importlib.util
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from checks.memory import Look
from go_live.config import Profile
from go_live.gate import Gate
from go_live.local_endpoint.launch import launched, worker_logs
from go_live.local_endpoint.settings import EndpointSettings

READY_TIMEOUT_S = 600
SAY_EVERY_S = 5


Place = tuple[str, str, str, Callable[[], list[Path]], Look | None]
"""Job API, endpoint id, key, the log files of the workers, and how to see their memory (None: it cannot be seen)."""


@contextmanager
def local_target(gate: Gate) -> Iterator[Place]:
    """Start the local endpoint with the profile's workers."""
    profile = gate.profile
    earlier = sorted(gate.directory.glob("endpoint*"))
    directory = gate.directory / (f"endpoint-{len(earlier) + 1}" if earlier else "endpoint")
    settings = EndpointSettings(
        workers_min=profile.workers,
        workers_max=profile.workers,
        scaler_type=gate.config.endpoint.expected.scaler_type,
        scaler_value=gate.config.endpoint.expected.scaler_value,
        idle_timeout_s=gate.config.endpoint.expected.idle_timeout_s,
        execution_timeout_s=gate.config.endpoint.expected.execution_timeout_s,
        worker_command=worker_command(profile),
        worker_env=worker_env(profile, gate.root) | {"GIT_COMMIT": gate.plan.repository.commit},
        directory=directory,
        engine=profile.device,
    )
    with launched(settings, ready_timeout_s=READY_TIMEOUT_S, on_wait=waiting(gate)) as endpoint:
        # The workers of a killed run have written of the requests that it recorded.
        before = [log for place in earlier for log in worker_logs(place)]

        def logs() -> list[Path]:
            return [*before, *endpoint.log_paths()]

        yield endpoint.job_api, endpoint.endpoint_id, endpoint.key, logs, endpoint.memory


def worker_command(profile: Profile) -> tuple[str, ...]:
    """The profile's worker command, with this interpreter for ``python``."""
    return tuple(sys.executable if part == "python" else part for part in profile.worker_command)


def worker_env(profile: Profile, root: Path) -> dict[str, str]:
    """The worker's environment; a relative MODEL_PATH is looked for in the project, then among what is installed."""
    env = dict(profile.worker_env)
    if model := env.get("MODEL_PATH"):
        env["MODEL_PATH"] = str(find(model, root))
    return env


def find(path: str, root: Path) -> Path:
    """``path`` in the project, or in an installed package of that name; the first if it is in neither."""
    here = root / path
    if here.exists():
        return here
    package, _, rest = path.partition("/")
    spec = importlib.util.find_spec(package) if package.isidentifier() else None
    for location in spec.submodule_search_locations or [] if spec else []:
        if (Path(location) / rest).exists():
            return Path(location) / rest
    return here


def waiting(gate: Gate) -> Callable[[dict[str, Any]], None]:
    """Says, every few seconds, that the worker is still starting."""
    began = time.monotonic()
    said = began

    def on_wait(_state: dict[str, Any]) -> None:
        nonlocal said
        now = time.monotonic()
        if now - said >= SAY_EVERY_S:
            said = now
            gate.progress.note(f"the worker is starting: {now - began:.0f} s (an engine takes about a minute)")

    return on_wait
