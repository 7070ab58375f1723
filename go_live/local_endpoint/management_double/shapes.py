"""The API's objects as the double writes them. Pure."""

from datetime import UTC, datetime
from typing import Any

from go_live.local_endpoint.management_double.crew import Seen
from go_live.local_endpoint.management_double.endpoint import DoubledEndpoint
from go_live.local_endpoint.management_double.settings import Described, DescribedTemplate

Json = dict[str, Any]

CATALOG = (
    ("NVIDIA GeForce RTX 4090", "RTX 4090", "ADA_24", 24),
    ("NVIDIA L4", "L4", "AMPERE_24", 24),
    ("NVIDIA RTX A5000", "RTX A5000", "AMPERE_24", 24),
    ("NVIDIA GeForce RTX 3090", "RTX 3090", "AMPERE_24", 24),
    ("NVIDIA A40", "A40", "AMPERE_48", 48),
    ("NVIDIA L40", "L40", "ADA_48_PRO", 48),
    ("NVIDIA L40S", "L40S", "ADA_48_PRO", 48),
    ("NVIDIA H100 80GB HBM3", "H100 SXM", "ADA_80_PRO", 80),
    ("NVIDIA H200", "H200 SXM", "HOPPER_141", 141),
)
"""A part of the catalog: id, name, pool, GB."""
SUMMARY = ("running", "idle", "initializing", "throttled", "unhealthy")


def config_of(described: Described, endpoint_id: str, **known: Any) -> Json:
    """The configuration that ``described`` tells, in the API's shape; ``known`` stands in for what it leaves open.

    Args:
        described: what is doubled.
        endpoint_id: its id.
        known: ``env``, ``workers_min``, ``workers_max``, ``scaler_type``, ``scaler_value``, ``idle_timeout_s``,
            ``execution_timeout_ms``.
    """
    given = {name: getattr(described, name) for name in known}
    value = {name: known[name] if given[name] is None else given[name] for name in known}
    count = value["scaler_type"] == "REQUEST_COUNT"
    scaling: Json = {"type": value["scaler_type"]}
    scaling |= {"requestCount": round(value["scaler_value"])} if count else {"queueDelay": value["scaler_value"]}
    return {
        "id": endpoint_id,
        "name": described.name,
        "type": "QUEUE",
        "image": described.image,
        "args": "",
        "disk": 20,
        "env": dict(value["env"]),
        "ports": [],
        "registry": None,
        "gpu": {
            "pools": list(described.gpu_pools),
            "excludedTypes": list(described.gpu_excluded),
            "count": 1,
            "allowedCudaVersions": [],
            "minCudaVersion": None,
        },
        "workers": {"min": value["workers_min"], "max": value["workers_max"], "idleTimeout": value["idle_timeout_s"]},
        "scaling": scaling,
        "dataCenterIds": [],
        "networkVolumes": [],
        "timeout": value["execution_timeout_ms"],
        "flashboot": described.flashboot,
    }


def template(one: DescribedTemplate) -> Json:
    """A template of the account."""
    return {
        "id": one.id,
        "name": one.name or one.id,
        "image": one.image,
        "args": one.args,
        "disk": 20,
        "mounts": {},
        "ports": [],
        "env": dict(one.env),
        "registry": None,
        "serverless": one.serverless,
        "public": False,
        "category": "NVIDIA",
        "startSsh": False,
        "startJupyter": False,
        "allowedCudaVersions": [],
    }


def catalog() -> list[Json]:
    """``GET /catalog/gpus``: a part of it."""
    return [_gpu(*row) for row in CATALOG]


def _gpu(gpu_id: str, name: str, pool: str, memory: int) -> Json:
    return {
        "id": gpu_id,
        "name": name,
        "pool": pool,
        "manufacturer": "NVIDIA",
        "memory": memory,
        "secure": True,
        "community": True,
        "price": {"secure": 0.5, "community": 0.4},
        "maxCount": {"secure": 8, "community": 4},
    }


def iso(when: float) -> str:
    """Unix time as the API writes it."""
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def workers(endpoint: DoubledEndpoint, crew: list[Seen], *, gpu_type: str, now: float) -> Json:
    """``GET /serverless/{id}/workers``; ``now`` is Unix time."""
    listed = [worker(endpoint, seen, gpu_type=gpu_type, now=now) for seen in crew]
    counts = {name: sum(one["status"] == name.upper() for one in listed) for name in SUMMARY}
    return {"workers": listed, "summary": {**counts, "total": len(listed)}, "endpointVersion": endpoint.version}


def worker(endpoint: DoubledEndpoint, seen: Seen, *, gpu_type: str, now: float) -> Json:
    """One worker of that list."""
    started, gpu = seen.started_at, endpoint.config.get("gpu")
    return {
        "id": seen.id,
        "status": seen.status,
        "isStale": seen.version != endpoint.version,
        "version": seen.version,
        "gpuCount": gpu["count"] if gpu else 0,
        "image": endpoint.images.get(seen.version),
        "uptimeSeconds": None if started is None else max(0, round(now - started)),
        "gpuTypeId": gpu_type if started is not None and gpu else None,
        "dataCenterId": None if started is None else "US-KS-2",
        "startedAt": None if started is None else iso(started),
    }


def releases(endpoint: DoubledEndpoint, crew: list[Seen]) -> Json:
    """``GET /serverless/{id}/releases``."""
    latest = sum(one.version == endpoint.version for one in crew)
    rollout = {
        "inProgress": latest < len(crew),
        "workersOnLatest": latest,
        "workersTotal": len(crew),
        "percentOnLatest": round(100 * latest / len(crew)) if crew else 0,
    }
    listed = [{**one, "workerCount": sum(seen.version == one["version"] for seen in crew)} for one in endpoint.releases]
    return {"endpointVersion": endpoint.version, "rollout": rollout, "releases": listed}


def urls(job_api: str, endpoint_id: str) -> Json:
    """``requestUrls`` of a queue endpoint."""
    base = f"{job_api}/{endpoint_id}"
    of_jobs = {name: f"{base}/{name}/{{job_id}}" for name in ("status", "stream", "cancel", "retry")}
    return {
        "run": f"{base}/run",
        "runSync": f"{base}/runsync",
        **of_jobs,
        "purgeQueue": f"{base}/purge-queue",
        "health": f"{base}/health",
    }
