"""All workers of one endpoint: started, scaled, drained, replaced."""

import asyncio
import logging
import math
import time
from pathlib import Path
from typing import Any

import msgspec

from go_live.local_endpoint import autoscaler
from go_live.local_endpoint.exchange import Exchange
from go_live.local_endpoint.faults import Faults, Scenario
from go_live.local_endpoint.settings import EndpointSettings
from go_live.local_endpoint.workers import Worker

log = logging.getLogger("go_live.local_endpoint")

STEADY_S = 30.0
"""A worker that was ready for this long is not failing to start."""
MISSED_PINGS = 3
KEPT_FAILURES = 10


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A worker that ended without being asked to."""

    worker: str
    exit_code: int
    was_ready: bool
    log: str
    tail: list[str]


class Fleet:
    """The workers. All methods belong to one event loop."""

    def __init__(self, settings: EndpointSettings, exchange: Exchange, faults: Faults) -> None:
        """Nothing runs until :meth:`run`."""
        self.workers: dict[str, Worker] = {}
        self.failures: list[Failure] = []
        self.base_url = ""
        self._settings = settings
        self._scaler = autoscaler.Scaler(
            type=settings.scaler_type,
            value=settings.scaler_value,
            workers_min=settings.workers_min,
            workers_max=settings.workers_max,
            idle_timeout_s=settings.idle_timeout_s,
        )
        self._exchange = exchange
        self._faults = faults
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._retiring: set[asyncio.Task[None]] = set()
        self._started = 0
        self._failed_starts = 0
        self._stopping = False
        self._version = 1

    # What the protocol reports

    def knows(self, worker: str) -> bool:
        """Whether this is a living worker of this run."""
        return worker in self.workers and self.workers[worker].phase != "unhealthy"

    def polled(self, worker_id: str) -> None:
        """The worker asked for a job; the first time, that makes it ready."""
        worker = self.workers[worker_id]
        if worker.phase == "initializing":
            worker.phase, worker.ready_at, worker.last_busy = "ready", time.time(), time.monotonic()
            log.info("%s ready after %.1f s", worker_id, time.monotonic() - worker.created)

    def log_of(self, worker_id: str) -> Path | None:
        """Where a worker writes; None: there is no such worker."""
        worker = self.workers.get(worker_id)
        return None if worker is None else worker.log

    def pinged(self, worker_id: str) -> None:
        """The worker's heartbeat."""
        self.workers[worker_id].last_ping = time.monotonic()

    def worked(self, worker_id: str) -> None:
        """The worker took or finished a job."""
        if worker := self.workers.get(worker_id):
            worker.last_busy = time.monotonic()

    # Life

    async def run(self, base_url: str) -> None:
        """Scale, replace and expire until cancelled."""
        self.base_url = base_url
        last = time.monotonic()
        while True:
            now = time.monotonic()
            self._exchange.store.expire()
            if now - last < self._settings.ping_interval_s:  # else this process itself was stopped for a while
                self._kill_silent(now)
            self._scale(now)
            last = now
            await asyncio.sleep(self._settings.scale_interval_s)

    async def stop(self) -> None:
        """Drain and end every worker; return once none is left."""
        self._stopping = True
        for worker in list(self.workers.values()):
            self._retire(worker)
        await asyncio.gather(*self._tasks.values(), *self._retiring, return_exceptions=True)

    def kill_all(self) -> None:
        """End every worker now."""
        for worker in self.workers.values():
            worker.kill()

    def kill(self, worker_id: str) -> None:
        """Kill a worker as a crash would; it is replaced."""
        if worker := self.workers.get(worker_id):
            log.info("%s killed by a fault", worker_id)
            worker.kill()

    def rescale(self, scaler: autoscaler.Scaler) -> None:
        """Scale by other bounds from now on; workers above a new maximum end once they are idle for long enough."""
        self._scaler = scaler

    def deploy(self, settings: EndpointSettings, version: int) -> None:
        """Start workers from ``settings`` from now on, and replace those of another version."""
        self._settings, self._version = settings, version
        for worker in [one for one in self.workers.values() if one.version != version]:
            self._retire(worker)

    def recycle(self, worker_id: str) -> None:
        """Replace a worker that asked for it (``refresh_worker``)."""
        if worker := self.workers.get(worker_id):
            self._retire(worker)

    def _scale(self, now: float) -> None:
        for worker in [w for w in self.workers.values() if w.phase == "unhealthy" and w.replace_at <= now]:
            del self.workers[worker.id]
        serving = [w for w in self.workers.values() if w.phase != "draining"]
        queued, oldest = self._exchange.store.demand()
        demand = autoscaler.Demand(queued, self._exchange.store.in_progress, oldest)
        starting = sum(w.phase != "ready" for w in serving)
        wanted = autoscaler.desired(self._scaler, demand, workers=len(serving), starting=starting)
        for _ in range(wanted - len(serving)):
            self._add()
        idle = sorted((w for w in serving if self.state(w) == "idle"), key=lambda w: w.last_busy)
        idle_s = [now - w.last_busy for w in idle]
        for worker in idle[: autoscaler.surplus(self._scaler, wanted, idle_s, workers=len(serving))]:
            log.info("%s idle for %.0f s, scaling down", worker.id, now - worker.last_busy)
            self._retire(worker)

    def _kill_silent(self, now: float) -> None:
        """A worker that pinged once, holds a job and pings no more is lost, as on the platform."""
        patience = MISSED_PINGS * self._settings.ping_interval_s
        for worker in self.workers.values():
            silent = worker.last_ping is not None and now - worker.last_ping > patience
            if silent and self.state(worker) == "running":
                log.warning("%s missed %d pings with a job in flight", worker.id, MISSED_PINGS)
                worker.kill()

    def _add(self) -> None:
        self._started += 1
        worker = Worker(f"w{self._started}", self._settings, self.base_url, version=self._version)
        self.workers[worker.id] = worker
        self._tasks[worker.id] = asyncio.create_task(self._supervise(worker))

    async def _supervise(self, worker: Worker) -> None:
        try:
            await self._throttle(worker)
            if worker.phase == "draining":
                return
            await worker.start()
            worker.launched.set()
            log.info("%s initializing: pid %s, log %s", worker.id, worker.pid, worker.log)
            self._ended(worker, await worker.wait())
        except (OSError, ValueError) as error:
            log.error("%s cannot start: %s", worker.id, error)  # noqa: TRY400 - a traceback explains nothing here
            self._ended(worker, -1)
        finally:
            worker.launched.set()
            del self._tasks[worker.id]
            if worker.phase == "draining":
                self.workers.pop(worker.id, None)

    async def _throttle(self, worker: Worker) -> None:
        """Stay throttled while that fault says so."""
        fault = self._faults.use(Scenario.THROTTLED_START)
        if fault is None:
            return
        worker.phase, cleared = "throttled", self._faults.cleared
        until = math.inf if fault.seconds is None else time.monotonic() + fault.seconds
        log.info("%s throttled", worker.id)
        while worker.phase == "throttled" and self._faults.cleared == cleared and time.monotonic() < until:  # noqa: ASYNC110 - no events
            await asyncio.sleep(0.05)
        if worker.phase == "throttled":
            worker.phase, worker.created = "initializing", time.monotonic()

    def _ended(self, worker: Worker, code: int) -> None:
        """The process is gone: its jobs go back, and unless it was asked to end, it is replaced."""
        lost = self._exchange.forget(worker.id)
        if worker.phase == "draining":
            log.info("%s ended (exit code %d)", worker.id, code)
            return
        was_ready = worker.phase == "ready"
        worker.phase = "unhealthy"
        steady = worker.ready_at is not None and time.time() - worker.ready_at > STEADY_S
        self._failed_starts = 0 if steady else self._failed_starts + 1
        pause = self._pause(was_ready=was_ready)
        worker.replace_at = time.monotonic() + pause
        failure = Failure(
            worker=worker.id, exit_code=code, was_ready=was_ready, log=str(worker.log), tail=worker.log_tail()
        )
        self.failures = [*self.failures[1 - KEPT_FAILURES :], failure]
        log.error("%s; next one in %.1f s", explain(failure), pause)
        for job in lost:
            log.warning("job %s lost with %s, now %s", job.id, worker.id, job.status)

    def _pause(self, *, was_ready: bool) -> float:
        """Seconds until a replacement: none for the first worker that was ready, doubling for those that die again."""
        before = self._failed_starts - (2 if was_ready else 1)
        if before < 0:
            return 0.0
        return float(min(self._settings.backoff_max_s, self._settings.backoff_s * 2**before))

    def _retire(self, worker: Worker) -> None:
        if worker.phase in {"draining", "unhealthy"}:
            return
        worker.phase = "draining"
        task = asyncio.create_task(self._drain(worker))
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    async def _drain(self, worker: Worker) -> None:
        """No new jobs, then SIGTERM to the worker alone, then, after the grace, SIGKILL to all of it."""
        self._exchange.drain(worker.id)
        await worker.launched.wait()
        worker.terminate()
        task = self._tasks.get(worker.id)
        if task is None:
            return
        _, pending = await asyncio.wait([task], timeout=self._settings.stop_grace_s)
        if pending:
            log.warning("%s did not end within %.0f s, killed", worker.id, self._settings.stop_grace_s)
            worker.kill()

    # What there is to see

    def state(self, worker: Worker) -> str:
        """The platform's word for what a worker is doing."""
        if worker.phase != "ready":
            return worker.phase
        return "running" if self.busy(worker) else "idle"

    def busy(self, worker: Worker) -> bool:
        """Whether it holds a job."""
        return bool(self._exchange.store.held_by(worker.id))

    def counts(self) -> dict[str, int]:
        """What /health says of workers; ``ready`` is idle and running together."""
        states = [self.state(w) for w in self.workers.values()]
        named = {s: states.count(s) for s in ("idle", "initializing", "running", "throttled", "unhealthy")}
        return named | {"ready": named["idle"] + named["running"]}

    async def describe(self) -> list[dict[str, Any]]:
        """Each worker, for people and checks."""
        return [
            {
                "id": w.id,
                "pid": w.pid,
                "state": self.state(w),
                "log": str(w.log),
                "rss_bytes": await asyncio.to_thread(w.rss_bytes),
                "started_at": w.started_at,
                "ready_at": w.ready_at,
                "exit_code": w.exit_code,
                "jobs": [job.id for job in self._exchange.store.held_by(w.id)],
            }
            for w in list(self.workers.values())
        ]


def explain(failure: Failure) -> str:
    """One line: which worker ended, when, and the last that its log says."""
    when = "after it was ready" if failure.was_ready else "while starting"
    said = " | ".join(failure.tail[-3:]) or "its log is empty"
    return f"worker {failure.worker} ended with exit code {failure.exit_code} {when}: {said} (log: {failure.log})"
