"""The job store: legal lives, nothing lost, nothing doubled."""

import contextlib
import json
from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from go_live.local_endpoint.queue import (
    LOST,
    TERMINAL,
    TIMED_OUT,
    Job,
    JobStore,
    NotRetryableError,
    Policy,
    Status,
    UnknownJobError,
)

REQUEST = {"input": b"{}"}


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        """Start at a time that is not zero."""
        self.now = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def store(clock: Clock) -> JobStore:
    """An empty store."""
    return JobStore(clock)


def test_delay_and_execution_are_measured_from_submit_take_and_done(store: JobStore, clock: Clock) -> None:
    """``delayTime`` is take - submit, ``executionTime`` done - take, both in ms."""
    job = store.submit(REQUEST, Policy())
    clock.now += 1.25
    store.take("w1")
    clock.now += 2.788
    store.done("w1", job.id, output=b"1")
    assert (job.delay_ms, job.execution_ms, job.status) == (1250, 2788, Status.COMPLETED)


def test_jobs_are_taken_oldest_first_and_at_most_the_limit(store: JobStore) -> None:
    """A batch take hands out at most what was asked for, in submission order."""
    jobs = [store.submit(REQUEST, Policy()) for _ in range(5)]
    assert store.take("w1", 3) == jobs[:3]
    assert store.take("w2", 3) == jobs[3:]
    assert store.take("w3", 3) == []


def test_a_lost_workers_job_is_queued_once_more_then_fails(store: JobStore, clock: Clock) -> None:
    """First loss: back to the head of the queue; second: FAILED with the platform's text and retries 1."""
    job, other = store.submit(REQUEST, Policy()), store.submit(REQUEST, Policy())
    store.take("w1")
    clock.now += 3
    assert store.lose("w1") == [job]
    assert (job.status, job.retries, job.worker) == (Status.IN_QUEUE, 1, None)
    assert store.take("w2") == [job]
    assert job.delay_ms == 3000
    store.lose("w2")
    assert (job.status, job.error, job.retries) == (Status.FAILED, json.dumps(LOST).encode(), 1)
    assert other.status is Status.IN_QUEUE


def test_a_take_that_was_not_delivered_is_no_retry(store: JobStore) -> None:
    """Undelivered jobs go back in their order, ahead of the others, with no attempt counted."""
    jobs = [store.submit(REQUEST, Policy()) for _ in range(4)]
    taken = store.take("w1", 2)
    store.untake("w1", taken)
    assert store.take("w2", 4) == jobs
    assert [job.retries for job in jobs] == [0] * 4


def test_reports_of_a_worker_that_no_longer_has_the_job_are_ignored(store: JobStore) -> None:
    """A late result, chunk or progress of a lost worker changes nothing."""
    job = store.submit(REQUEST, Policy())
    store.take("w1")
    store.lose("w1")
    store.take("w2")
    assert not store.done("w1", job.id, output=b'"late"')
    assert not store.chunk("w1", job.id, b'"late"')
    assert not store.progress("w1", job.id, b'"late"')
    assert store.done("w2", job.id, output=b'"right"')
    assert job.output == b'"right"'


def test_progress_after_the_result_is_ignored(store: JobStore) -> None:
    """The SDK's progress updates are unordered; one that comes after the end must not bring the job back."""
    job = store.submit(REQUEST, Policy())
    store.take("w1")
    assert store.progress("w1", job.id, b'"half"')
    assert job.output == b'"half"'
    store.done("w1", job.id, output=b'"all"')
    assert not store.progress("w1", job.id, b'"half"')
    assert (job.status, job.output) == (Status.COMPLETED, b'"all"')


def test_execution_timeout_fails_the_job_and_stops_it(clock: Clock) -> None:
    """Past its executionTimeout a job is FAILED, and its worker is asked to stop it."""
    stops: list[tuple[str, Job]] = []
    store = JobStore(clock, on_stop=lambda worker, job: stops.append((worker, job)))
    job = store.submit(REQUEST, Policy(execution_timeout_s=5))
    clock.now += 100
    store.take("w1")
    clock.now += 4.999
    store.expire()
    assert job.status is Status.IN_PROGRESS
    clock.now += 0.001
    store.expire()
    assert (job.status, job.error) == (Status.FAILED, json.dumps(TIMED_OUT).encode())
    assert stops == [("w1", job)]
    assert not store.done("w1", job.id, output=b"1")


def test_the_first_attempts_deadline_does_not_end_the_second(store: JobStore, clock: Clock) -> None:
    """A job that was queued again has its whole execution time once more."""
    job = store.submit(REQUEST, Policy(execution_timeout_s=10))
    store.take("w1")
    clock.now += 9
    store.lose("w1")
    store.take("w2")
    clock.now += 9
    store.expire()
    assert job.status is Status.IN_PROGRESS


@pytest.mark.parametrize(("policy", "kept_s"), [(Policy(), 1800.0), (Policy(retention_s=60.0), 60.0)])
def test_retention_ends_after_completion(store: JobStore, clock: Clock, policy: Policy, kept_s: float) -> None:
    """A result is there for its retention from completion, and unknown from then on."""
    job = store.submit(REQUEST, policy)
    store.take("w1")
    clock.now += 100
    store.done("w1", job.id, output=b"1")
    clock.now += kept_s - 0.001
    store.expire()
    assert store.get(job.id) is job
    clock.now += 0.001
    store.expire()
    with pytest.raises(UnknownJobError):
        store.get(job.id)


def test_ttl_deletes_a_job_in_any_state(clock: Clock) -> None:
    """The ttl runs from submission; at its end a queued and a running job are unknown, and the latter is stopped."""
    stops: list[str] = []
    store = JobStore(clock, on_stop=lambda worker, _: stops.append(worker))
    running, queued = (store.submit(REQUEST, Policy(ttl_s=10)) for _ in range(2))
    store.take("w1")
    clock.now += 10
    store.expire()
    for job in (running, queued):
        with pytest.raises(UnknownJobError):
            store.get(job.id)
    assert stops == ["w1"]
    assert (store.queued, store.in_progress) == (0, 0)


def test_retry_is_for_failed_jobs_only_and_drops_the_old_output(store: JobStore, clock: Clock) -> None:
    """Same id, empty, queued, its clock started again; anything but a failed job is refused."""
    job = store.submit(REQUEST, Policy())
    with pytest.raises(NotRetryableError):
        store.retry(job.id)
    store.take("w1")
    store.done("w1", job.id, output=b"1", error=b'"no"')
    clock.now += 7
    assert store.retry(job.id) is job
    assert (job.status, job.output, job.error, job.delay_ms) == (Status.IN_QUEUE, None, None, None)
    clock.now += 1790
    store.expire()  # the first result's retention must not delete the second run
    assert store.get(job.id) is job
    assert store.take("w1") == [job]
    assert job.delay_ms == 1_790_000


def test_purge_ends_only_pending_jobs(store: JobStore) -> None:
    """Purging counts and ends what waits, and leaves what runs."""
    running = store.submit(REQUEST, Policy())
    store.take("w1")
    waiting = [store.submit(REQUEST, Policy()) for _ in range(3)]
    assert store.purge() == 3
    assert {job.status for job in waiting} == {Status.CANCELLED}
    assert running.status is Status.IN_PROGRESS


def test_low_priority_jobs_do_not_ask_for_workers(store: JobStore, clock: Clock) -> None:
    """They are queued and taken like others, but not counted as demand."""
    store.submit(REQUEST, Policy(low_priority=True))
    clock.now += 5
    store.submit(REQUEST, Policy())
    clock.now += 2
    assert store.demand() == (1, 2.0)
    assert len(store.take("w1", 9)) == 2


WORKERS = st.sampled_from(["w1", "w2", "w3"])
LEGAL = {
    (Status.IN_QUEUE, Status.IN_PROGRESS),
    (Status.IN_QUEUE, Status.CANCELLED),
    (Status.IN_PROGRESS, Status.COMPLETED),
    (Status.IN_PROGRESS, Status.FAILED),
    (Status.IN_PROGRESS, Status.CANCELLED),
    (Status.IN_PROGRESS, Status.IN_QUEUE),
    (Status.FAILED, Status.IN_QUEUE),
}


class Lives(RuleBasedStateMachine):
    """Any sequence of calls: statuses move legally, each job is in one place, no result comes twice."""

    def __init__(self) -> None:
        """Start with an empty store."""
        super().__init__()
        self.clock = Clock()
        self.store = JobStore(self.clock)
        self.jobs: list[Job] = []
        self.statuses: dict[str, Status] = {}
        self.results: Counter[str] = Counter()

    def some(self, number: int) -> Job:
        """One of the jobs."""
        return self.jobs[number % len(self.jobs)]

    @rule(ttl_s=st.sampled_from([20.0, 86400.0]), count=st.integers(1, 4))
    def submit(self, ttl_s: float, count: int) -> None:
        """Clients submit."""
        self.jobs += [
            self.store.submit(REQUEST, Policy(ttl_s=ttl_s, execution_timeout_s=15, retention_s=30))
            for _ in range(count)
        ]

    @rule(worker=WORKERS, limit=st.integers(1, 3))
    def take(self, worker: str, limit: int) -> None:
        """A worker takes."""
        self.store.take(worker, limit)

    @rule(worker=WORKERS, limit=st.integers(1, 3))
    def take_undelivered(self, worker: str, limit: int) -> None:
        """A take's connection breaks."""
        self.store.untake(worker, self.store.take(worker, limit))

    @precondition(lambda self: self.jobs)
    @rule(worker=WORKERS, number=st.integers(0), fails=st.booleans())
    def done(self, worker: str, number: int, *, fails: bool) -> None:
        """Any worker reports any job."""
        job = self.some(number)
        if self.store.done(worker, job.id, output=b"1", error=b'"no"' if fails else None):
            self.results[job.id] += 1

    @precondition(lambda self: self.jobs)
    @rule(number=st.integers(0))
    def cancel(self, number: int) -> None:
        """A client cancels."""
        with contextlib.suppress(UnknownJobError):
            self.store.cancel(self.some(number).id)

    @precondition(lambda self: self.jobs)
    @rule(number=st.integers(0))
    def retry(self, number: int) -> None:
        """A client retries."""
        job = self.some(number)
        try:
            self.store.retry(job.id)
        except (UnknownJobError, NotRetryableError):
            return
        self.results[job.id] = 0

    @rule(worker=WORKERS)
    def lose(self, worker: str) -> None:
        """A worker is lost."""
        self.store.lose(worker)

    @rule()
    def purge(self) -> None:
        """The queue is purged."""
        self.store.purge()

    @rule(seconds=st.sampled_from([0.5, 7.0, 16.0, 31.0]))
    def pass_time(self, seconds: float) -> None:
        """Deadlines pass."""
        self.clock.now += seconds
        self.store.expire()

    @invariant()
    def every_job_is_in_exactly_one_place(self) -> None:
        """Queued, held by one worker, or terminal: exactly one of them."""
        held = [job.id for worker in ("w1", "w2", "w3") for job in self.store.held_by(worker)]
        queued = list(self.store._queue)
        assert len(set(held + queued)) == len(held + queued) == self.store.queued + self.store.in_progress
        for job in self.known():
            place = (job.id in queued, job.id in held, job.status in TERMINAL)
            assert place.count(True) == 1, (job.status, place)
            assert place[1] == (job.status is Status.IN_PROGRESS)

    @invariant()
    def statuses_move_legally(self) -> None:
        """No status follows one that it must not."""
        for job in self.known():
            before = self.statuses.get(job.id, Status.IN_QUEUE)
            legal = {b for a, b in LEGAL if a is before}
            # Two moves may lie within one rule (taken and put back, lost by its second worker).
            assert job.status is before or job.status in legal | {b for a, b in LEGAL if a in legal}
            if before in TERMINAL - {Status.FAILED}:
                assert job.status is before
            self.statuses[job.id] = job.status

    @invariant()
    def no_result_comes_twice(self) -> None:
        """One accepted result a run, and COMPLETED only with one."""
        assert all(count <= 1 for count in self.results.values())
        for job in self.known():
            if job.status is Status.COMPLETED:
                assert self.results[job.id] == 1
                assert job.execution_ms is not None
                assert job.execution_ms >= 0

    def known(self) -> list[Job]:
        """The jobs not yet deleted."""
        return [job for job in self.jobs if self.exists(job)]

    def exists(self, job: Job) -> bool:
        """Whether it is not yet deleted."""
        try:
            return self.store.get(job.id) is job
        except UnknownJobError:
            return False


Lives.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestLives = Lives.TestCase
TestLives.__doc__ = Lives.__doc__
