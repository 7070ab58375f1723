"""The job store's asynchronous face: workers wait here for jobs and stop signals, clients for results.

A job is handed to the worker whose poll has waited longest. A poll whose connection broke, or which a newer poll of the
same worker has replaced, gets nothing: what it was about to get goes back to the head of the queue.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from go_live.local_endpoint.queue import TERMINAL, Job, JobStore, Policy, UnknownJobError

START_LAG_S = 0.25
"""The SDK starts a taken job within 0.1 s; a stop signal that arrives earlier finds nothing to stop."""


def _ignore(*_: object) -> None:
    """Nobody listens."""


class Exchange:
    """Who waits for what. All methods belong to one event loop."""

    def __init__(self, *, on_take: Callable[[str, list[Job]], None] = _ignore) -> None:
        """Start with an empty store; ``on_take`` hears of each delivered take."""
        self.store = JobStore(time.monotonic, on_change=self._changed, on_stop=self._stop_later)
        self.on_take = on_take
        self._takes: dict[str, tuple[int, asyncio.Future[list[Job]]]] = {}
        self._stops: dict[str, set[str]] = {}
        self._stop_polls: dict[str, asyncio.Event] = {}
        self._watchers: dict[str, set[asyncio.Event]] = {}
        self._draining: set[str] = set()
        self._dispatch_due = False

    # Clients

    def submit(self, request: dict[str, bytes], policy: Policy, *, sync: bool = False, held: bool = False) -> Job:
        """Queue a job and hand it out if a worker waits."""
        job = self.store.submit(request, policy, sync=sync, held=held)
        self._dispatch_soon()
        return job

    def release(self, job: Job) -> None:
        """Let a held job into the queue."""
        self.store.release(job.id)
        self._dispatch_soon()

    async def wait_terminal(self, job: Job, timeout_s: float) -> None:
        """Wait until the job is terminal or deleted, at most ``timeout_s``."""
        await self._wait(job, timeout_s, lambda: job.status in TERMINAL)

    async def wait_chunk(self, job: Job, timeout_s: float) -> None:
        """Wait until the job has a stream chunk or is terminal, at most ``timeout_s``."""
        await self._wait(job, timeout_s, lambda: bool(job.chunks) or job.status in TERMINAL)

    async def _wait(self, job: Job, timeout_s: float, ready: Callable[[], bool]) -> None:
        changed = asyncio.Event()
        self._watchers.setdefault(job.id, set()).add(changed)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    while not ready() and self._exists(job):
                        await changed.wait()
                        changed.clear()
        finally:
            watchers = self._watchers.get(job.id, set())
            watchers.discard(changed)
            if not watchers:
                self._watchers.pop(job.id, None)

    def _exists(self, job: Job) -> bool:
        try:
            return self.store.get(job.id) is job
        except UnknownJobError:
            return False

    def _changed(self, job: Job) -> None:
        for watcher in self._watchers.get(job.id, ()):
            watcher.set()
        self._dispatch_soon()

    # Workers

    async def take(self, worker: str, limit: int, hold_s: float) -> list[Job]:
        """At most ``limit`` jobs for ``worker``; empty after ``hold_s``, when it drains, or when it polls anew."""
        self._answer_take(worker)
        if worker in self._draining:
            await asyncio.sleep(START_LAG_S)  # until its SIGTERM arrives, so that it does not spin
            return []
        future: asyncio.Future[list[Job]] = asyncio.get_running_loop().create_future()
        self._takes[worker] = (limit, future)
        self._dispatch()
        try:
            async with asyncio.timeout(hold_s):
                return await future
        except TimeoutError:
            return future.result() if future.done() and not future.cancelled() else []
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.untake(worker, future.result())
            raise
        finally:
            if self._takes.get(worker, (0, None))[1] is future:
                del self._takes[worker]

    def untake(self, worker: str, jobs: list[Job]) -> None:
        """The take never reached the worker."""
        self.store.untake(worker, jobs)
        self._dispatch_soon()

    async def stop_signals(self, worker: str, hold_s: float) -> list[str]:
        """Ids of jobs the worker should stop; they stay due until :meth:`stopped`. Empty after ``hold_s``."""
        if replaced := self._stop_polls.get(worker):
            replaced.set()
        poll = self._stop_polls[worker] = asyncio.Event()
        if not self._stops.get(worker) and worker not in self._draining:
            with suppress(TimeoutError):
                async with asyncio.timeout(hold_s):
                    await poll.wait()
        return sorted(self._stops.get(worker, ())) if self._stop_polls.get(worker) is poll else []

    def stopped(self, worker: str, job_ids: list[str]) -> None:
        """The worker has heard that these are to stop."""
        self._stops.get(worker, set()).difference_update(job_ids)

    def drain(self, worker: str) -> None:
        """Give ``worker`` nothing any more, and answer its pending polls."""
        self._draining.add(worker)
        self._answer_take(worker)
        if poll := self._stop_polls.get(worker):
            poll.set()

    def empty_handed(self, worker: str) -> None:
        """The worker says that it has no job: what it holds here never reached it, or its result never came back."""
        self.store.lose(worker)

    def forget(self, worker: str) -> list[Job]:
        """The worker is gone: its jobs are queued once more or fail; they are returned."""
        self._answer_take(worker)
        self._stops.pop(worker, None)
        self._stop_polls.pop(worker, None)
        self._draining.discard(worker)
        lost = self.store.lose(worker)
        self._dispatch_soon()
        return lost

    def _answer_take(self, worker: str) -> None:
        """Answer a pending take with nothing; what is dispatched later must not go to it."""
        _, future = self._takes.pop(worker, (0, None))
        if future is not None and not future.done():
            future.set_result([])

    def _dispatch_soon(self) -> None:
        """Dispatch once per turn of the loop, so that jobs submitted together are taken together."""
        if not self._dispatch_due:
            self._dispatch_due = True
            asyncio.get_running_loop().call_soon(self._dispatch)

    def _dispatch(self) -> None:
        self._dispatch_due = False
        while self._takes and self.store.queued:
            worker = next(iter(self._takes))
            limit, future = self._takes.pop(worker)
            if not future.done():
                future.set_result(self.store.take(worker, limit))

    def _stop_later(self, worker: str, job: Job) -> None:
        age = time.monotonic() - (job.taken or 0.0)
        asyncio.get_running_loop().call_later(max(0.0, START_LAG_S - age), self._stop, worker, job.id)

    def _stop(self, worker: str, job_id: str) -> None:
        self._stops.setdefault(worker, set()).add(job_id)
        if poll := self._stop_polls.get(worker):
            poll.set()
