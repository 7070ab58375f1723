"""The double's workers are the local endpoint's own: what it tells of them is true, and what it is told they do."""

import sys
from collections.abc import Mapping
from typing import Any

import msgspec

from go_live.local_endpoint.autoscaler import Scaler
from go_live.local_endpoint.fleet import Fleet
from go_live.local_endpoint.management_double.crew import Seen
from go_live.local_endpoint.management_double.settings import Described
from go_live.local_endpoint.settings import EndpointSettings
from worker.settings import PARSERS

BAKED = frozenset({"GIT_COMMIT", "IMAGE_DIGEST"})
"""What a build writes into the image."""
CANNOT_PULL = "import sys; sys.exit('the image cannot be pulled: ' + sys.argv[1])"


def told_env(described: Described, settings: EndpointSettings) -> dict[str, str]:
    """The environment that the endpoint tells: as described, else the worker settings that it was started with."""
    if described.env is not None:
        return dict(described.env)
    return {name: value for name, value in settings.worker_env.items() if name in PARSERS and name not in BAKED}


class FleetCrew:
    """The fleet as the management API sees it."""

    def __init__(self, fleet: Fleet, settings: EndpointSettings) -> None:
        """``settings`` are those that the fleet was made with."""
        self._fleet = fleet
        self._settings = settings
        told = told_env(settings.described, settings)
        self._hidden = {name: value for name, value in settings.worker_env.items() if name not in told}
        """What workers need on this machine, and no API tells."""

    def seen(self) -> list[Seen]:
        """Active workers; one that is being replaced is listed for as long as it has a job."""
        listed = []
        for worker in list(self._fleet.workers.values()):
            state = self._fleet.state(worker)
            if state == "draining":
                state = "running" if self._fleet.busy(worker) else ""
            if state:
                status, started = state.upper(), worker.started_at
                listed.append(Seen(id=worker.id, status=status, version=worker.version, started_at=started))
        return listed

    def scaled(self, config: Mapping[str, Any]) -> None:
        """Bounds and scaler take effect at the autoscaler's next look."""
        workers, scaling = config["workers"], config["scaling"]
        self._fleet.rescale(
            Scaler(
                type=scaling["type"],
                value=float(scaling.get("requestCount", scaling.get("queueDelay"))),
                workers_min=workers["min"],
                workers_max=workers["max"],
                idle_timeout_s=float(workers["idleTimeout"]),
            )
        )

    def released(self, config: Mapping[str, Any], version: int) -> None:
        """Idle workers of an older release end at once, busy ones after their job; new ones start meanwhile."""
        images, image = self._settings.described.images, str(config["image"])
        known = not images or image in images
        command = self._settings.worker_command if known else (sys.executable, "-c", CANNOT_PULL, image)
        env = self._hidden | images.get(image, {}) | config["env"]
        self._fleet.deploy(msgspec.structs.replace(self._settings, worker_env=env, worker_command=command), version)
