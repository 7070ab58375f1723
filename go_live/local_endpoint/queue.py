"""The job store: every job's life as a state machine with an injected clock and no I/O.

    IN_QUEUE -> IN_PROGRESS -> COMPLETED | FAILED | CANCELLED
    IN_QUEUE -> CANCELLED (cancel, purge)
    IN_PROGRESS -> IN_QUEUE (its take was never delivered; its worker was lost, once)
    FAILED -> IN_QUEUE (retry)

A job is deleted when its ttl (from submission) or its retention (from completion) ends; the API then answers 404.
Reports for a job that is terminal, or that another worker has by now, are ignored: they cannot double a result.
"""

import heapq
import uuid
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from go_live.local_endpoint import wire

MAX_RETRIES = 1
"""How often a lost worker's job is queued again (observed on the platform)."""
LOST = f"job timed out after {MAX_RETRIES} retries"
TIMED_OUT = "executionTimeout exceeded"


class Status(StrEnum):
    """A job's status, in the platform's words."""

    IN_QUEUE = "IN_QUEUE"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    TIMED_OUT = "TIMED_OUT"


TERMINAL = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED, Status.TIMED_OUT})
RETRYABLE = frozenset({Status.FAILED, Status.TIMED_OUT})


class UnknownJobError(LookupError):
    """No such job, or its retention ended."""


class NotRetryableError(ValueError):
    """Only a failed job can be retried."""


@dataclass(slots=True, eq=False)
class Job:
    """One job. Times are seconds on the store's clock; ``input``, ``output`` and ``error`` are raw JSON text."""

    id: str
    request: dict[str, bytes]
    """The members that the worker gets beside the id: ``input``, and what else the client sent of the known keys."""
    submitted: float
    ttl_s: float
    retention_s: float
    execution_timeout_s: float
    low_priority: bool = False
    status: Status = Status.IN_QUEUE
    taken: float | None = None
    done: float | None = None
    worker: str | None = None
    retries: int = 0
    output: bytes | None = None
    error: bytes | None = None
    chunks: deque[bytes] = field(default_factory=deque)
    """Stream chunks that nobody has fetched yet."""
    spoilt: bytes | None = None
    """What a fault puts in the place of the worker's output and chunks."""

    @property
    def delay_ms(self) -> int | None:
        """Submission to the latest take, ms: ``delayTime``."""
        return None if self.taken is None else round((self.taken - self.submitted) * 1000)

    @property
    def execution_ms(self) -> int | None:
        """The latest take to the result, ms: ``executionTime``."""
        return None if self.taken is None or self.done is None else round((self.done - self.taken) * 1000)


@dataclass(frozen=True, slots=True)
class Policy:
    """How long a job may live and run, seconds."""

    ttl_s: float = 86400.0
    execution_timeout_s: float = 600.0
    retention_s: float = 1800.0
    low_priority: bool = False


@dataclass(slots=True)
class Counts:
    """What /health counts, and ``peak``: most jobs that were ever queued or in progress at one time."""

    completed: int = 0
    failed: int = 0
    retried: int = 0
    peak: int = 0


def _ignore(*_: object) -> None:
    """Nobody listens."""


class JobStore:
    """All jobs of one endpoint.

    Args:
        clock: seconds, never going back.
        on_change: called with a job after each change that a client could see.
        on_stop: called with (worker id, job) when a worker should stop a job it holds.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        on_change: Callable[[Job], None] = _ignore,
        on_stop: Callable[[str, Job], None] = _ignore,
    ) -> None:
        """Start empty."""
        self.counts = Counts()
        self._clock = clock
        self._on_change = on_change
        self._on_stop = on_stop
        self._jobs: dict[str, Job] = {}
        self._queue: OrderedDict[str, Job] = OrderedDict()
        self._held: dict[str, dict[str, Job]] = {}
        self._deadlines: list[tuple[float, str, str]] = []

    # What there is

    def get(self, job_id: str) -> Job:
        """The job.

        Raises:
            UnknownJobError: there is none (any more).
        """
        try:
            return self._jobs[job_id]
        except KeyError:
            raise UnknownJobError(job_id) from None

    @property
    def queued(self) -> int:
        """Jobs waiting for a worker."""
        return len(self._queue)

    @property
    def in_progress(self) -> int:
        """Jobs that workers hold."""
        return sum(map(len, self._held.values()))

    def held_by(self, worker: str) -> tuple[Job, ...]:
        """The jobs that ``worker`` holds."""
        return tuple(self._held.get(worker, {}).values())

    def demand(self) -> tuple[int, float]:
        """Queued jobs that ask for workers (not low priority), and how long the oldest has waited, seconds."""
        asking = [job for job in self._queue.values() if not job.low_priority]
        return len(asking), max((self._clock() - job.submitted for job in asking), default=0.0)

    # A job's life

    def submit(self, request: dict[str, bytes], policy: Policy, *, sync: bool = False, held: bool = False) -> Job:
        """Queue a job; with ``held`` it waits outside the queue until :meth:`release`."""
        job = Job(
            id=f"{'sync-' if sync else ''}{uuid.uuid4()}-u1",
            request=request,
            submitted=self._clock(),
            ttl_s=policy.ttl_s,
            retention_s=policy.retention_s,
            execution_timeout_s=policy.execution_timeout_s,
            low_priority=policy.low_priority,
        )
        self._jobs[job.id] = job
        self._due(job.submitted + job.ttl_s, "ttl", job)
        if not held:
            self._queue[job.id] = job
        self.counts.peak = max(self.counts.peak, self.queued + self.in_progress)
        return job

    def release(self, job_id: str) -> None:
        """Let a held job into the queue, unless it was cancelled or has expired."""
        job = self._jobs.get(job_id)
        if job is not None and job.status is Status.IN_QUEUE:
            self._queue[job.id] = job

    def take(self, worker: str, limit: int = 1) -> list[Job]:
        """Hand at most ``limit`` queued jobs to ``worker``, oldest first."""
        now = self._clock()
        jobs = [self._queue.popitem(last=False)[1] for _ in range(min(limit, len(self._queue)))]
        for job in jobs:
            job.status, job.worker, job.taken, job.done = Status.IN_PROGRESS, worker, now, None
            self._held.setdefault(worker, {})[job.id] = job
            self._due(now + job.execution_timeout_s, "execution", job)
        return jobs

    def untake(self, worker: str, jobs: Iterable[Job]) -> None:
        """Put jobs back whose take never reached ``worker``; this is not a retry."""
        for job in reversed(list(jobs)):
            if self._holds(worker, job.id):
                self._requeue(job)

    def done(self, worker: str, job_id: str, *, output: bytes | None = None, error: bytes | None = None) -> bool:
        """Take a worker's result; an ``error`` makes the job FAILED. False: ignored, it is not this worker's job."""
        if not self._holds(worker, job_id):
            return False
        job = self._jobs[job_id]
        if job.spoilt is not None:
            output = job.spoilt
            job.chunks.append(job.spoilt)
        job.output, job.error = output, error
        self._finish(job, Status.COMPLETED if error is None else Status.FAILED)
        return True

    def progress(self, worker: str, job_id: str, output: bytes | None) -> bool:
        """Show a progress update as the job's output so far. False: ignored, it came after the result."""
        if not self._holds(worker, job_id):
            return False
        job = self._jobs[job_id]
        job.output = output
        self._on_change(job)
        return True

    def chunk(self, worker: str, job_id: str, output: bytes) -> bool:
        """Keep a stream chunk until it is fetched. False: ignored, it is not this worker's job."""
        if not self._holds(worker, job_id):
            return False
        job = self._jobs[job_id]
        if job.spoilt is None:
            job.chunks.append(output)
            self._on_change(job)
        return True

    def drain_chunks(self, job_id: str) -> list[bytes]:
        """The chunks since the last call.

        Raises:
            UnknownJobError: there is no such job.
        """
        job = self.get(job_id)
        chunks = list(job.chunks)
        job.chunks.clear()
        return chunks

    def cancel(self, job_id: str) -> Job:
        """Cancel a job that is not terminal; its worker is asked to stop it.

        Raises:
            UnknownJobError: there is no such job.
        """
        job = self.get(job_id)
        if job.status not in TERMINAL:
            self._stop(job)
            self._finish(job, Status.CANCELLED)
        return job

    def fail(self, job_id: str, error: str) -> Job:
        """Make a job FAILED that no worker finished.

        Raises:
            UnknownJobError: there is no such job.
        """
        job = self.get(job_id)
        if job.status not in TERMINAL:
            self._stop(job)
            job.error = wire.text(error)
            self._finish(job, Status.FAILED)
        return job

    def retry(self, job_id: str) -> Job:
        """Queue a failed job once more under its id; its clock starts again.

        Raises:
            UnknownJobError: there is no such job.
            NotRetryableError: it has not failed.
        """
        job = self.get(job_id)
        if job.status not in RETRYABLE:
            raise NotRetryableError(f"job is {job.status}; only FAILED or TIMED_OUT jobs can be retried")
        job.status, job.submitted, job.taken, job.done = Status.IN_QUEUE, self._clock(), None, None
        job.worker, job.output, job.error, job.retries = None, None, None, 0
        job.chunks.clear()
        self.counts.retried += 1
        self._due(job.submitted + job.ttl_s, "ttl", job)
        self._queue[job.id] = job
        self._on_change(job)
        return job

    def purge(self) -> int:
        """Cancel every queued job; how many there were."""
        pending = list(self._queue.values())
        for job in pending:
            self._finish(job, Status.CANCELLED)
        return len(pending)

    def lose(self, worker: str) -> list[Job]:
        """A worker is gone: each job it held is queued once more, or FAILED if it already was."""
        jobs = list(self._held.get(worker, {}).values())
        for job in reversed(jobs):
            if job.retries >= MAX_RETRIES:
                job.error = wire.text(LOST)
                self._finish(job, Status.FAILED)
            else:
                job.retries += 1
                self.counts.retried += 1
                self._requeue(job)
        self._held.pop(worker, None)
        return jobs

    def expire(self) -> None:
        """Apply every deadline that has passed: ttl, execution timeout, retention."""
        now = self._clock()
        while self._deadlines and self._deadlines[0][0] <= now:
            when, kind, job_id = heapq.heappop(self._deadlines)
            job = self._jobs.get(job_id)
            if job is None:
                continue
            if kind == "execution" and job.status is Status.IN_PROGRESS and job.taken is not None:
                if when == job.taken + job.execution_timeout_s:
                    self.fail(job.id, TIMED_OUT)
            elif (kind == "ttl" and when == job.submitted + job.ttl_s) or (
                kind == "retention" and job.done is not None and when == job.done + job.retention_s
            ):
                self._delete(job)

    # How

    def _holds(self, worker: str, job_id: str) -> bool:
        return job_id in self._held.get(worker, {})

    def _due(self, when: float, kind: str, job: Job) -> None:
        heapq.heappush(self._deadlines, (when, kind, job.id))

    def _release(self, job: Job) -> None:
        """Out of the queue and out of its worker's hands."""
        self._queue.pop(job.id, None)
        if job.worker is not None:
            self._held.get(job.worker, {}).pop(job.id, None)

    def _requeue(self, job: Job) -> None:
        """Back to the head of the queue, as if never taken."""
        self._release(job)
        job.status, job.worker, job.taken, job.output = Status.IN_QUEUE, None, None, None
        job.chunks.clear()
        self._queue[job.id] = job
        self._queue.move_to_end(job.id, last=False)
        self._on_change(job)

    def _stop(self, job: Job) -> None:
        if job.status is Status.IN_PROGRESS and job.worker is not None:
            self._on_stop(job.worker, job)

    def _finish(self, job: Job, status: Status) -> None:
        self._release(job)
        job.status, job.done = status, self._clock()
        self.counts.completed += status is Status.COMPLETED
        self.counts.failed += status is Status.FAILED
        self._due(job.done + job.retention_s, "retention", job)
        self._on_change(job)

    def _delete(self, job: Job) -> None:
        self._stop(job)
        self._release(job)
        del self._jobs[job.id]
        self._on_change(job)
