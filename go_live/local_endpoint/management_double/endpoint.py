"""One endpoint as the platform keeps it: configuration, releases, and what a write makes of them. Pure."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

from go_live.local_endpoint.management_double.bodies import Change, New, RefusedError, parts

DIFF_NAMES = {
    "image": "template.imageName",
    "env": "template.env",
    "args": "template.dockerArgs",
    "disk": "template.containerDiskInGb",
    "ports": "template.ports",
    "registry": "template.containerRegistryAuthId",
    "gpu": "gpuIds",
    "dataCenterIds": "locations",
    "networkVolumes": "networkVolumeIds",
    "flashboot": "flashBootType",
}
"""Members whose change makes a new release -> how a release's diff names them."""
FROM_TEMPLATE = ("image", "args", "disk", "ports", "env", "registry")
TWO, ZERO = 3.0, 7.0
"""Days without a request after which workersMax becomes 2, and 0 (RunPod documentation)."""

Json = dict[str, Any]


class DoubledEndpoint:
    """State of one endpoint. ``told`` is what the API answers."""

    def __init__(self, config: Json, *, now: Callable[[], str], template_id: str = "") -> None:
        """Take over ``config``, an endpoint in the API's own shape with ``workers.idleTimeout`` in it."""
        self.config = copy.deepcopy(config)
        self.template_id = template_id
        self._now = now
        self.version = 0
        self.releases: list[Json] = []
        """Newest first, without worker counts."""
        self.images: dict[int, str] = {}
        """The image of each version."""
        self._release([])

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.config["id"])

    def idle_for(self, days: float) -> None:
        """The platform scales an endpoint down that nobody used, and tells nobody."""
        if days < TWO:
            return
        workers = self.config["workers"]
        workers["max"] = 0 if days >= ZERO else min(workers["max"], 2)
        workers["min"] = min(workers["min"], workers["max"])

    def told(self, *, idle_timeout: bool) -> Json:
        """The endpoint as ``GET`` answers it.

        Args:
            idle_timeout: whether a queue endpoint on REQUEST_COUNT tells its idle timeout all the same.
        """
        shown = copy.deepcopy(self.config)
        if self.without_idle_timeout and not idle_timeout:
            del shown["workers"]["idleTimeout"]
        return shown

    @property
    def without_idle_timeout(self) -> bool:
        """Whether v2 has no idle timeout for it: a queue that scales on REQUEST_COUNT."""
        return bool(self.config["type"] == "QUEUE" and self.config["scaling"]["type"] == "REQUEST_COUNT")

    def change(self, body: Change, templates: Mapping[str, Json], *, idle_timeout: bool) -> bool:
        """Apply a PATCH; whether it made a new release.

        Raises:
            RefusedError: it does not apply to this endpoint; nothing was changed.
        """
        sent = _with_template(parts(body), templates)
        after = copy.deepcopy(self.config)
        _merge(after, sent)
        scaling = after["scaling"]["type"]
        refused = after["type"] == "QUEUE" and scaling == "REQUEST_COUNT" and not idle_timeout
        if refused and "idleTimeout" in sent.get("workers", {}):
            raise RefusedError(422, "workers.idleTimeout does not apply to queue endpoints scaling on requestCount")
        _refuse(after, sent)
        names = [name for name in DIFF_NAMES if after.get(name) != self.config.get(name)]
        diff = [{"field": DIFF_NAMES[name], "old": self.config.get(name), "new": after.get(name)} for name in names]
        self.config = after
        if diff:
            self._release(diff)
        return bool(diff)

    def _release(self, diff: list[Json]) -> None:
        self.version += 1
        self.images[self.version] = str(self.config["image"])
        release = {
            "id": f"rel-{self.id}-{self.version}",
            "version": self.version,
            "source": "MANUAL",
            "buildId": None,
            "createdByUserId": None,
            "createdAt": self._now(),
            "diff": diff,
        }
        self.releases.insert(0, release)


def created(body: New, templates: Mapping[str, Json], *, made: Mapping[str, Any], omitted_timeout_ms: int) -> Json:
    """The configuration of a new endpoint.

    Args:
        body: of the POST.
        templates: by id, in the API's shape.
        made: what the platform decides: ``id``, ``createdAt``.
        omitted_timeout_ms: ``timeout`` where the body has none.

    Raises:
        RefusedError: it cannot be created.
    """
    sent = _with_template(parts(body), templates)
    if "image" not in sent:
        raise RefusedError(422, "Request validation failed.", "$: image is required without templateId")
    if ("gpu" in sent) is ("cpu" in sent):
        raise RefusedError(400, "exactly one of gpu and cpu is needed")
    scaling = sent["scaling"]["type"]
    if sent["type"] == "LOAD_BALANCER" and scaling != "REQUEST_COUNT":
        raise RefusedError(422, "Request validation failed.", "$.scaling: LOAD_BALANCER needs REQUEST_COUNT")
    if sent["type"] == "QUEUE" and scaling == "REQUEST_COUNT" and "idleTimeout" in sent.get("workers", {}):
        raise RefusedError(422, "workers.idleTimeout does not apply to queue endpoints scaling on requestCount")
    config: Json = {
        "args": "",
        "disk": 20,
        "env": {},
        "ports": [],
        "registry": None,
        "workers": {"min": 0, "max": 3, "idleTimeout": 10},
        "dataCenterIds": [],
        "networkVolumes": [],
        "timeout": omitted_timeout_ms,
        "flashboot": "OFF",
        "gpu": {"pools": [], "excludedTypes": [], "count": 1, "allowedCudaVersions": [], "minCudaVersion": None},
        **made,
    }
    if "cpu" in sent:
        del config["gpu"]
    _merge(config, sent)
    _refuse(config, sent)
    return config


def _with_template(sent: Json, templates: Mapping[str, Json]) -> Json:
    """``sent`` with a template's container settings, which its own members override; env is merged."""
    template_id = sent.pop("templateId", None)
    if template_id is None:
        return sent
    template = templates.get(template_id)
    if template is None:
        raise RefusedError(404, "template not found")
    if not template["serverless"]:
        raise RefusedError(422, "the template is not a serverless template")
    env = {**template["env"], **sent.get("env", {})}
    return {name: template[name] for name in FROM_TEMPLATE} | sent | {"env": env}


def _merge(config: Json, sent: Json) -> None:
    """Members of objects are changed one by one; a selection of pools replaces the exclusions too."""
    for name, value in sent.items():
        if name == "workers" or (name == "gpu" and config.get("gpu") is not None):
            if name == "gpu" and "pools" in value:
                config["gpu"]["excludedTypes"] = []
            config[name].update(value)
        else:
            config[name] = value
    if config.get("gpu") and not config["gpu"]["minCudaVersion"]:
        config["gpu"]["minCudaVersion"] = None


def _refuse(after: Json, sent: Json) -> None:
    """What contradicts itself once it is merged."""
    if after["workers"]["min"] > after["workers"]["max"]:
        raise RefusedError(422, "workers.min must not exceed workers.max")
    if "gpu" in sent and "cpu" in sent:
        raise RefusedError(400, "gpu and cpu cannot both be set")
    if "cpu" in sent and after.get("gpu"):
        raise RefusedError(400, "the compute family cannot be changed")
    if after["type"] == "LOAD_BALANCER" and after["scaling"]["type"] != "REQUEST_COUNT":
        raise RefusedError(400, "a load-balancing endpoint scales on REQUEST_COUNT alone")
