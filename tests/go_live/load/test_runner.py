"""One record for each due request, whatever happens. An hour of load takes milliseconds of virtual time."""

import asyncio
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from go_live.errors import UsageError
from go_live.jobs.answer import Answer
from go_live.load.runner import Before, LoadPlan, Prompt, judged, run_load
from go_live.records import ErrorClass, Record
from tests.go_live.load import virtual
from tests.go_live.load.virtual import Fake, VirtualLoop, clock

PROMPTS = (Prompt("a", {"prompt": "one"}), Prompt("b", {"prompt": "two"}))
DIGEST = Answer(text="Learn SQL.").digest


def plan(**fields: Any) -> LoadPlan:
    """A plan of phase ``load``."""
    return LoadPlan(**{"phase": "load", "prompts": PROMPTS, "deadline_s": 45, **fields})


def measure(endpoint: Fake, what: LoadPlan, **options: Any) -> list[Record]:
    """Carry out a plan on virtual time."""
    records: list[Record] = []

    async def main() -> None:
        await run_load(endpoint, what, on_record=records.append, clock=clock(), **options)

    virtual.run(main())
    return records


def numbered(records: list[Record]) -> None:
    """Every due request is there exactly once."""
    assert sorted(record.seq for record in records) == list(range(len(records)))


def test_an_hour_of_soak_is_recorded_request_by_request() -> None:
    """60 minutes at c=2 and 3.5 s a request are 2,058 requests, those in flight at the end included."""
    records = measure(Fake(lambda _: 3.5), plan(phase="soak", concurrency=2, duration_s=3600))
    assert len(records) == 2058
    numbered(records)
    assert all(record.ok and record.total_ms == pytest.approx(3500) for record in records)
    assert max(record.due for record in records) < 1000 + 3600 < max(record.done or 0 for record in records)
    assert all(record.wall == pytest.approx(record.due + 1e6) for record in records)
    assert [record.prompt for record in sorted(records, key=lambda r: r.seq)[:3]] == ["a", "b", "a"]


@given(
    concurrency=st.integers(1, 6),
    requests=st.integers(1, 40),
    seconds=st.lists(st.floats(0, 10), min_size=40, max_size=40),
    errors=st.lists(st.sampled_from([None, None, ErrorClass.FAILED, ErrorClass.CONNECTION]), min_size=40, max_size=40),
)
@example(concurrency=3, requests=4, seconds=[0.0] * 40, errors=[ErrorClass.CONNECTION] * 40)
@settings(max_examples=60, deadline=None)
def test_a_closed_loop_keeps_its_concurrency_and_loses_nothing(
    concurrency: int, requests: int, seconds: list[float], errors: list[ErrorClass | None]
) -> None:
    """For any service: as many records as planned, never more in flight, each due when a slot became free."""
    endpoint = Fake(seconds.__getitem__, errors.__getitem__)
    records = measure(endpoint, plan(concurrency=concurrency, requests=requests))
    assert len(records) == requests == endpoint.calls
    numbered(records)
    assert endpoint.most_in_flight == min(concurrency, requests)
    free = [1000.0] * concurrency
    free += [record.done or 0 if record.ok else max(record.done or 0, record.due + 0.1) for record in records]
    for record in records:
        assert any(record.due == pytest.approx(moment, abs=1e-6) for moment in free)
        assert record.lag_ms == pytest.approx(0, abs=1e-3)


def test_a_dead_server_is_not_asked_thousands_of_times() -> None:
    """A slot whose requests fail at once sends some ten a second."""
    endpoint = Fake(lambda _: 0.0, lambda _: ErrorClass.CONNECTION)
    records = measure(endpoint, plan(phase="soak", concurrency=2, duration_s=60))
    assert len(records) == pytest.approx(1200, abs=4)
    assert not any(record.ok for record in records)


def test_an_open_loop_keeps_its_rate_when_the_service_is_slow() -> None:
    """10 requests a second stay 10 a second although each takes 5 s: 50 are in flight."""
    endpoint = Fake(lambda _: 5.0)
    records = measure(endpoint, plan(rate=10, duration_s=60))
    numbered(records)
    assert [record.due for record in sorted(records, key=lambda r: r.seq)] == [1000 + k / 10 for k in range(600)]
    assert endpoint.most_in_flight in {50, 51}
    assert {record.level for record in records} == {"rate=10"}


def test_a_late_pacer_sends_at_once_and_the_lag_is_recorded() -> None:
    """A client that was blocked for 3 s catches up, and its lateness counts in the latency."""

    def seconds(number: int) -> float:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        if number == 10:
            loop.block(3.0)
        return 1.0

    records = sorted(measure(Fake(seconds), plan(rate=10, requests=100)), key=lambda record: record.seq)
    assert [record.due for record in records] == [1000 + k / 10 for k in range(100)]
    assert records[11].lag_ms == pytest.approx(2900)
    assert records[11].total_ms == pytest.approx(3900)
    assert records[99].lag_ms == pytest.approx(0, abs=1e-6)


def test_poisson_arrivals_repeat_by_their_seed() -> None:
    """The same seed offers the same load; another seed another one."""
    first, again, other = (
        sorted(record.due for record in measure(Fake(lambda _: 0.1), plan(rate=5, requests=50, seed=seed)))
        for seed in (1, 1, 2)
    )
    assert first == again != other


def test_the_warm_up_is_counted_apart() -> None:
    """Warm-up requests come first, carry their own phase and numbers, and do not take from the planned ones."""
    records = measure(Fake(lambda _: 1.0), plan(concurrency=2, requests=10, warmup=4))
    warm = [record for record in records if record.phase == "warmup"]
    load = [record for record in records if record.phase == "load"]
    assert (len(warm), len(load)) == (4, 10)
    numbered(warm)
    numbered(load)
    assert max(record.done or 0 for record in warm) <= min(record.due for record in load)


@pytest.mark.parametrize("loop", [{"concurrency": 3}, {"rate": 1.0}], ids=["closed", "open"])
@given(after=st.floats(0.0, 30.0))
@settings(max_examples=30, deadline=None)
def test_a_cancelled_run_records_every_due_request_once(loop: dict[str, float], after: float) -> None:
    """What was in flight is recorded without an end and as cancelled; what ended before stays as it was."""
    records: list[Record] = []
    endpoint = Fake(lambda _: 3.0)

    async def main() -> None:
        run = run_load(endpoint, plan(requests=50, **loop), on_record=records.append, clock=clock())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(after):
                await run

    virtual.run(main())
    numbered(records)
    cancelled = [record for record in records if record.error is ErrorClass.CANCELLED]
    assert all(record.done is None and record.detail for record in cancelled)
    assert all(record.ok for record in records if record not in cancelled)
    assert len(records) >= endpoint.calls
    assert len(cancelled) <= 4


def test_stop_lets_what_is_in_flight_end() -> None:
    """After ``stop``, nothing further becomes due, and nothing is left without an end."""
    endpoint = Fake(lambda _: 3.0)
    closed = measure(endpoint, plan(concurrency=3, requests=50), stop=lambda: endpoint.calls >= 7)
    assert len(closed) == 7
    assert all(record.ok for record in closed)
    endpoint = Fake(lambda _: 3.0)
    opened = measure(endpoint, plan(rate=10, requests=50, seed=1), stop=lambda: endpoint.calls >= 7)
    assert len(opened) == 7
    assert all(record.ok for record in opened)


def test_a_mistake_of_the_caller_is_one_error_and_not_a_group() -> None:
    """An exception out of the endpoint ends the run as it is, and what was due is still recorded."""

    class Refusing(Fake):
        async def complete(self, job_input: Any, *, deadline_s: float | None = None) -> Answer:
            raise UsageError(f"no {deadline_s} {bool(job_input)}")

    records: list[Record] = []

    async def main() -> None:
        with pytest.raises(UsageError, match="no 45"):
            await run_load(
                Refusing(lambda _: 0), plan(concurrency=2, requests=9), on_record=records.append, clock=clock()
            )

    virtual.run(main())
    numbered(records)
    assert records
    assert not any(record.ok for record in records)


def test_wrong_answers_under_load_are_errors() -> None:
    """Each answer is judged against its own prompt's expectation."""
    prompts = (
        Prompt("right", {"prompt": "x"}, DIGEST),
        Prompt("wrong", {"prompt": "x"}, "0" * 16),
        Prompt("judged", {"prompt": "x"}, lambda answer: ErrorClass.MALFORMED if answer.text else None),
        Prompt("any", {"prompt": "x"}),
    )
    records = measure(Fake(lambda _: 1.0), plan(prompts=prompts, concurrency=1, requests=4))
    assert [record.error for record in records] == [None, ErrorClass.WRONG, ErrorClass.MALFORMED, None]
    assert all(record.answer == DIGEST for record in records)
    assert all("Learn" not in str(record.detail) for record in records)


def test_a_blocked_prompt_is_wrong_unless_a_judge_accepts_it() -> None:
    """A worker that blocks everything quickly does not pass a load test; an error stays the error it was."""
    blocked = Answer(job_status="COMPLETED", blocked=True)
    assert judged(blocked, None).error is ErrorClass.WRONG
    assert judged(blocked, DIGEST).error is ErrorClass.WRONG
    assert judged(blocked, lambda answer: None if answer.blocked else ErrorClass.WRONG).error is None
    failed = Answer(error=ErrorClass.FAILED, detail="boom")
    assert judged(failed, lambda _: None) is failed


@pytest.mark.parametrize(
    "fields",
    [
        {"requests": 5},
        {"concurrency": 2, "rate": 2.0, "requests": 5},
        {"concurrency": 0, "requests": 5},
        {"rate": 0.0, "requests": 5},
        {"rate": float("nan"), "requests": 5},
        {"concurrency": 2},
        {"concurrency": 2, "requests": 0},
        {"concurrency": 2, "duration_s": 0.0},
        {"concurrency": 2, "duration_s": float("inf")},
        {"concurrency": 2, "requests": 5, "prompts": ()},
        {"concurrency": 2, "requests": 5, "warmup": -1},
        {"concurrency": 2, "requests": 5, "deadline_s": 0.0},
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_refused(fields: dict[str, Any]) -> None:
    """Neither loop or both, no end, nothing to send: one clear line before anything is sent."""
    with pytest.raises(UsageError):
        plan(**fields)


def test_records_tell_the_streams_first_token_and_the_timed_engine() -> None:
    """What the answer knows is copied, so that it can be judged again without running again."""

    class Streaming(Fake):
        async def complete_streaming(self, job_input: Any, *, deadline_s: float | None = None) -> Answer:
            assert job_input
            assert deadline_s
            facts = {"delay_ms": 3.0, "execution_ms": 4.0, "worker": "w", "job": "j", "http_status": 200}
            sent = asyncio.get_running_loop().time()
            return Answer(text="x", engine="timed", sent=sent, first_token=sent + 1, done=sent + 2, **facts)  # type: ignore[arg-type]  # facts are of mixed types

    (record,) = measure(Streaming(lambda _: 1.0), plan(concurrency=1, requests=1, streaming=True))
    assert (record.engine, record.first_token, record.delay_ms, record.execution_ms) == ("timed", 1001.0, 3.0, 4.0)
    assert (record.worker, record.job, record.http_status, record.total_ms) == ("w", "j", 200, 2000.0)


@given(st.integers(1, 4), st.integers(0, 30), st.integers(0, 3))
def test_a_phase_goes_on_where_it_was_killed(concurrency: int, hits: int, again: int) -> None:
    """Of 40 requests those that ended are not asked again, those left open are, first and under their numbers."""
    left = tuple(range(min(again, hits)))
    before = Before(hits=hits, served_s=12.0, again=left)
    records = measure(Fake(lambda _: 1.0), plan(concurrency=concurrency, requests=40), before=before)
    assert sorted(record.seq for record in records) == [*left, *range(hits, 40)]
    first = sorted(records, key=lambda record: record.due)[: len(left)]
    assert all(record.due == pytest.approx(1000.0) for record in first[:concurrency])


def test_a_soak_goes_on_for_what_is_left_of_it() -> None:
    """After 40 of 60 minutes under load, 20 more are served."""
    before = Before(hits=1372, served_s=2400.0)
    records = measure(Fake(lambda _: 3.5), plan(phase="soak", concurrency=2, duration_s=3600), before=before)
    assert len(records) == 686
    assert max(record.due for record in records) < 1000 + 1200
    assert min(record.wall for record in records) == pytest.approx(1e6 + 1000)


def test_a_request_is_told_before_it_is_sent() -> None:
    """Every due request is announced once, before its record, under the same number and time."""
    told: list[tuple[str, int, float]] = []

    async def main() -> None:
        await run_load(
            Fake(lambda _: 1.0),
            plan(concurrency=2, requests=5),
            on_record=lambda record: told.append(("end", record.seq, record.due)),
            on_due=lambda record: told.append(("due", record.seq, record.due)),
            clock=clock(),
        )

    virtual.run(main())
    dues = [entry[1:] for entry in told if entry[0] == "due"]
    ends = [entry[1:] for entry in told if entry[0] == "end"]
    assert sorted(dues) == sorted(ends)
    assert all(told.index(("due", *entry)) < told.index(("end", *entry)) for entry in dues)


def test_who_was_told_is_left_open_requests() -> None:
    """A cancelled load whose requests were announced records none of those in flight: they can be asked again."""
    records: list[Record] = []
    dues: list[Record] = []

    async def main() -> None:
        load = asyncio.ensure_future(
            run_load(
                Fake(lambda _: 100.0),
                plan(concurrency=3, requests=9),
                on_record=records.append,
                on_due=dues.append,
                clock=clock(),
            )
        )
        await asyncio.sleep(1)
        load.cancel()
        await asyncio.wait([load])

    virtual.run(main())
    assert (len(dues), records) == (3, [])
