"""The gateway on its sockets, for as long as a context lasts; when it ends, no job of a caller is left upstream."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import msgspec
from prometheus_client import start_http_server

from go_live.asgi import LOOPBACK, serving
from go_live.config import Config, Port
from go_live.errors import UsageError
from go_live.gateway import strangers
from go_live.gateway.admission import Admission
from go_live.gateway.app import App
from go_live.gateway.keys import Callers
from go_live.gateway.line import Line
from go_live.gateway.probing import keep_probing
from go_live.gateway.replicas import ALONE, Share, claimed, runtime_directory
from go_live.gateway.routes import RouteFiles, Routes, keep_looking
from go_live.gateway.service import Gateway
from go_live.gateway.split import straight
from go_live.gateway.telemetry import JsonLines, Keep, Metrics, Served
from go_live.gateway.tracing import exporting
from go_live.gateway.upstream import Upstream
from go_live.jobs import Endpoint
from go_live.monitor.metrics import buckets_s
from go_live.tuning.effective import effective_cap


class GatewaySettings(msgspec.Struct, frozen=True, kw_only=True):
    """What one gateway is. Times are seconds."""

    job_api: str
    endpoints: tuple[str, ...]
    """Endpoint ids; each has a line and a cap of its own."""
    elsewhere: Mapping[str, str] = {}
    """Bases of the job API of those endpoints that are not at ``job_api``; they know the same key."""
    key: str
    """The upstream key; its only place."""
    callers: Path
    cap: int
    room: int
    timeout_s: float
    service_s: float
    """What a request is expected to take until some have been seen."""
    buckets: tuple[float, ...]
    host: str = LOOPBACK
    port: Port = 0
    """0: any free one."""
    metrics_port: Port | None = None
    """On loopback, always; 0: any free one; None: no metrics are served."""
    probe_every_s: float | None = None
    """How often a worker that is in use is asked for its device's memory; None: never."""
    count_every_s: float | None = None
    """How often each endpoint is asked how many jobs it has, to find those that somebody else sent; None: never."""
    share: Share = ALONE
    """Which part of cap and room is this gateway's, where several stand before the same endpoints."""
    locks: Path = msgspec.field(default_factory=runtime_directory)
    """Folder of the lock files that keep a second gateway away from the same endpoint."""
    record: Path | None = None
    """Gets one line of JSON a request."""
    routes: RouteFiles | None = None
    """A rollout's decision about one of the endpoints; None: each request goes where it was asked to."""
    traces: bool = False
    """Whether OpenTelemetry is told of each request, as its variables say."""

    @property
    def own_cap(self) -> int:
        """Most that this gateway ever has under way at an endpoint."""
        return self.share.part(self.cap)

    def base_of(self, endpoint_id: str) -> str:
        """Base of the job API that an endpoint is at."""
        return self.elsewhere.get(endpoint_id, self.job_api)

    def __repr__(self) -> str:
        """Without the key."""
        return f"GatewaySettings({self.job_api!r}, {self.endpoints!r}, cap={self.cap}, key=***)"


def settings_from(
    config: Config, *, job_api: str, endpoints: tuple[str, ...], key: str, callers: Path
) -> GatewaySettings:
    """The settings that golive.toml asks for; ports and record stay at their defaults."""
    return GatewaySettings(
        job_api=job_api,
        endpoints=endpoints,
        key=key,
        callers=callers,
        cap=effective_cap(config),
        room=config.gateway.waiting_max,
        timeout_s=config.client.timeout_s,
        service_s=config.slo.total_ms_p50 / 1000,
        buckets=buckets_s(config),
    )


class Running(msgspec.Struct, frozen=True):
    """A gateway that answers."""

    url: str
    metrics_url: str | None
    gateway: Gateway
    metrics: Metrics
    routes: Routes | None
    stop_now: Callable[[], None]
    """When the context ends, do not let what is under way go on for the client's time: cancel it."""

    @property
    def job_api(self) -> str:
        """Base of its job API: add ``/{endpoint_id}/runsync``."""
        return f"{self.url}/v2"


@asynccontextmanager
async def running(settings: GatewaySettings, keep: Keep | None = None) -> AsyncIterator[Running]:
    """Serve until the context ends; ``keep`` hears of each request as well.

    At the end what is under way may go on for the client's time (``Running.stop_now`` ends it at once).

    Raises:
        UsageError: a port is taken, or a file cannot be used.
    """
    metrics = Metrics(settings.buckets)
    async with AsyncExitStack() as stack:
        keepers = [metrics.keep, *([keep] if keep else [])]
        if settings.record is not None:
            keepers.append(stack.enter_context(JsonLines(settings.record)).keep)
        if settings.traces:
            keepers.append(stack.enter_context(exporting()))

        def keep_all(served: Served) -> None:
            for each in keepers:
                each(served)

        callers = Callers(settings.callers)
        upstreams: dict[str, Upstream] = {}
        for endpoint_id in settings.endpoints:
            upstreams[endpoint_id] = await _upstream(stack, settings, endpoint_id)
            metrics.watch(endpoint_id, upstreams[endpoint_id].admission.line)
        routes = _routes(stack, settings, metrics)
        choose = straight if routes is None else routes.choose
        gateway = Gateway(upstreams, timeout_s=settings.timeout_s, keep=keep_all, choose=choose)
        metrics_url = stack.enter_context(_metrics_server(settings, metrics)) if _served(settings) else None
        app = App(gateway, callers, routes).asgi
        server, url = await stack.enter_async_context(
            serving(app, host=settings.host, port=settings.port, grace_s=settings.timeout_s)
        )
        if settings.probe_every_s is not None:
            probing = asyncio.create_task(
                keep_probing(upstreams, metrics, every_s=settings.probe_every_s, timeout_s=settings.timeout_s)
            )
            stack.callback(probing.cancel)
        if settings.count_every_s is not None:
            others = settings.cap - settings.own_cap
            counting = asyncio.create_task(
                strangers.keep_looking(upstreams, metrics, every_s=settings.count_every_s, allowed=others)
            )
            stack.callback(counting.cancel)
        yield Running(url, metrics_url, gateway, metrics, routes, server.stop_now)


def _served(settings: GatewaySettings) -> bool:
    return settings.metrics_port is not None


def _routes(stack: AsyncExitStack, settings: GatewaySettings, metrics: Metrics) -> Routes | None:
    """Follow the rollout's decision for as long as the stack lasts.

    Raises:
        UsageError: its signers cannot be read.
    """
    if settings.routes is None:
        return None

    def tell(routes: Routes) -> None:
        if routes.route is not None:
            metrics.route(routes.route, routes.percent(), routes.decision.serial if routes.decision else 0)

    routes = Routes(settings.routes, settings.endpoints)
    following = asyncio.create_task(keep_looking(routes, tell))
    stack.callback(following.cancel)
    return routes


async def _upstream(stack: AsyncExitStack, settings: GatewaySettings, endpoint_id: str) -> Upstream:
    """Open one endpoint; when the stack unwinds, its jobs end first, then its connections, then another may have it.

    Raises:
        UsageError: another gateway stands before it already.
    """
    base, own_cap = settings.base_of(endpoint_id), settings.own_cap
    endpoint = Endpoint(
        base, endpoint_id, settings.key, connections=0, timeout_s=settings.timeout_s
    )  # connections: the line bounds what is under way; cancels must not wait for one
    stack.enter_context(claimed(base, endpoint_id, cap=settings.cap, share=settings.share, directory=settings.locks))
    await stack.enter_async_context(endpoint)
    line = Line(cap=own_cap, room=max(1, settings.room * own_cap // settings.cap))
    upstream = Upstream(endpoint, Admission(line, service_s=settings.service_s), time.monotonic)
    stack.push_async_callback(upstream.close)
    return upstream


@contextmanager
def _metrics_server(settings: GatewaySettings, metrics: Metrics) -> Iterator[str]:
    """Serve /metrics on loopback, whatever the gateway's own address is; the URL."""
    port = settings.metrics_port or 0
    try:
        server, thread = start_http_server(port, addr=LOOPBACK, registry=metrics.registry)
    except OSError as error:
        raise UsageError(f"cannot serve metrics on port {port}: {error.strerror}; choose another") from error
    try:
        yield f"http://{LOOPBACK}:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
