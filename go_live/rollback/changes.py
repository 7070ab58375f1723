"""The one write that goes back to a release: what it sends, what it changes, what it leaves, and what forbids it. Pure.

A rollback changes the container and nothing else: image, arguments, and the worker's own settings. Bounds, scaler and
GPU stay as they are, because somebody may just have changed them to live through the incident. Secrets stay as they
are, because those of then may have been rotated.
"""

from collections.abc import Mapping

import msgspec
from msgspec import UNSET

from go_live.management.environment import digest_of, pair_row, values_row
from go_live.management.models import Endpoint, EndpointUpdate, Template
from go_live.outcome import Outcome
from go_live.rollback.deployed import deployed
from go_live.rollback.target import Target
from worker.settings import PARSERS

IDENTITY = ("GIT_COMMIT", "IMAGE_DIGEST")
"""Worker settings that name the build: those of the present build must not outlive it."""
SHOWN = 12


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """How the target is reached."""

    how: str
    """``image``, ``template``, ``none`` (it is there already) or ``unknown`` (nothing tells what to deploy)."""
    update: EndpointUpdate = EndpointUpdate()
    """What is sent."""
    env: dict[str, str] = {}
    """The environment that the endpoint has then. May hold secrets."""
    image: str = ""
    """The image that the endpoint has then."""
    changes: tuple[str, ...] = ()
    """What is different then, one line each, fit to be shown."""
    stays: tuple[str, ...] = ()
    """What was different when the target was measured, and is left as it is."""

    def __repr__(self) -> str:
        """Without the environment."""
        return f"Way(how={self.how!r}, changes={self.changes!r})"


def way_to(target: Target, endpoint: Endpoint, template: Template | None) -> Way:
    """The way from ``endpoint`` as it is to ``target``.

    By image where one is known with its name; by template where only that is. A template that no longer holds the
    target's image is no way.

    Args:
        target: what to go back to.
        endpoint: as it is now.
        template: the target's template as it is now; None: it has none, or it is gone.
    """
    image = full_image(target, endpoint)
    if image:
        env = environment_then(target, endpoint.env, {})
        args = target.deployed.args if target.deployed else endpoint.args
        return _way("image", target, endpoint, image=image, env=env, args=args)
    if template is not None and template.serverless and (not target.digest or _holds(template, target)):
        env = environment_then(target, endpoint.env, template.env)
        return _way("template", target, endpoint, image=template.image, env=env, args=template.args)
    return Way(how="unknown")


def full_image(target: Target, endpoint: Endpoint) -> str:
    """The target's image with its name; one known by digest alone is taken to be of the endpoint's repository."""
    if "@" in target.image:
        return target.image
    name = endpoint.image.rpartition("@")[0] if digest_of(endpoint.image) else ""
    return f"{name}@{target.digest}" if name and target.digest else ""


def environment_then(target: Target, now: Mapping[str, str], of_template: Mapping[str, str]) -> dict[str, str]:
    """The environment after the rollback: the worker's settings of then, everything else as it is now.

    Without a record the settings stay as they are too, but for what names the build, which the image tells itself.
    """
    others = {name: value for name, value in now.items() if name not in PARSERS}
    if target.deployed is not None:
        brought = {name: value for name, value in of_template.items() if name not in PARSERS}
        return {**brought, **others, **target.deployed.env}
    kept = {name: value for name, value in now.items() if name in PARSERS and name not in IDENTITY}
    return {**kept, **of_template, **others}


def problems(target: Target, endpoint: Endpoint, way: Way) -> list[str]:
    """What forbids the rollback, one line each; empty: nothing that is known."""
    found = []
    if endpoint.workers.max == 0:
        found.append("workersMax is 0, the endpoint is off: `golive config apply` raises it first")
    if target.endpoint_id and target.endpoint_id != endpoint.id:
        found.append(f"it was measured on endpoint {target.endpoint_id}, and golive.toml names {endpoint.id}")
    if way.how == "unknown":
        return found
    rows = (values_row(way.env), pair_row(way.env))
    found += [f"the environment would not do: {row.reason}" for row in rows if row.outcome is Outcome.FAIL]
    then, pools = target.deployed, endpoint.gpu.pools if endpoint.gpu else ()
    if then is not None and then.gpu_pools and pools and not set(then.gpu_pools) & set(pools):
        found.append(f"it was measured on {', '.join(then.gpu_pools)}, the endpoint runs on {', '.join(pools)}")
    return found


def doubts(target: Target, endpoint: Endpoint, way: Way) -> list[str]:
    """What could not be compared, one line each."""
    if way.how == "unknown":
        return ["nothing tells which image it ran: name it with --image NAME@sha256:… or --template ID"]
    if target.deployed is None:
        return ["no record of the settings that it ran with: those of now are kept"]
    gone = [name for name in target.deployed.other_env if name not in endpoint.env]
    return [f"it ran with {', '.join(gone)} set, which is not set now"] if gone else []


def _way(how: str, target: Target, endpoint: Endpoint, *, image: str, env: dict[str, str], args: str) -> Way:
    update = EndpointUpdate(
        image=image if image != endpoint.image else UNSET,
        env=env if env != endpoint.env else UNSET,
        args=args if args != endpoint.args else UNSET,
    )
    if how == "template" and update != EndpointUpdate():
        update = EndpointUpdate(template_id=target.template_id, env=env)
    return Way(
        how=how if update != EndpointUpdate() else "none",
        update=update,
        env=env,
        image=image,
        changes=tuple(_changes(endpoint, image=image, env=env, args=args)),
        stays=tuple(_stays(target, endpoint)),
    )


def _changes(endpoint: Endpoint, *, image: str, env: Mapping[str, str], args: str) -> list[str]:
    """What is different then; values of settings are shown, all others hidden."""
    found = [] if image == endpoint.image else [f"image: {short(endpoint.image)} -> {short(image)}"]
    for name in sorted({*env, *endpoint.env}):
        before, after = endpoint.env.get(name), env.get(name)
        if before != after:
            found.append(f"{name}: {_value(name, before)} -> {_value(name, after)}")
    return [*found, *([] if args == endpoint.args else [f"arguments: {endpoint.args or '-'} -> {args or '-'}"])]


def _stays(target: Target, endpoint: Endpoint) -> list[str]:
    """Settings of the endpoint that were different when the target was measured."""
    if target.deployed is None:
        return []
    then, now = msgspec.to_builtins(target.deployed), msgspec.to_builtins(deployed(endpoint))
    names = ("workers_min", "workers_max", "scaler", "timeout_ms", "flashboot", "gpu_pools", "gpu_excluded")
    return [f"{name}: {_told(now[name])} (then {_told(then[name])})" for name in names if then[name] != now[name]]


def short(image: str) -> str:
    """An image by the beginning of its digest."""
    digest = digest_of(image)
    return digest.removeprefix("sha256:")[:SHOWN] if digest else image or "none"


def _holds(template: Template, target: Target) -> bool:
    return digest_of(template.image) == target.digest


def _value(name: str, value: str | None) -> str:
    if value is None:
        return "not set"
    shown = value.removeprefix("sha256:")[:SHOWN] if name in IDENTITY else value
    return shown if name in PARSERS else "(hidden)"


def _told(value: object) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, list | tuple) else str(value)
