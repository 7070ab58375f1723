"""The exchange: races between polls, jobs and broken connections, step by step on the event loop."""

import asyncio
import time

from go_live.local_endpoint.exchange import Exchange
from go_live.local_endpoint.queue import Policy

REQUEST = {"input": b"{}"}


async def test_a_poll_cancelled_after_its_job_was_handed_over_gives_it_back() -> None:
    """Between the hand-over and the answer the connection breaks: first in the queue again, with no retry counted."""
    exchange = Exchange()
    poll = asyncio.create_task(exchange.take("w1", 1, 10))
    await asyncio.sleep(0)
    first, second = exchange.submit(REQUEST, Policy()), exchange.submit(REQUEST, Policy())
    asyncio.get_running_loop().call_soon(poll.cancel)  # after the dispatch, before the poll's own turn
    await asyncio.gather(poll, return_exceptions=True)
    assert poll.cancelled()
    assert first.retries == 0
    assert await exchange.take("w2", 5, 10) == [first, second]


async def test_a_poll_cancelled_before_takes_nothing() -> None:
    """The next poll gets the job."""
    exchange = Exchange()
    poll = asyncio.create_task(exchange.take("w1", 1, 10))
    await asyncio.sleep(0)
    poll.cancel()
    job = exchange.submit(REQUEST, Policy())
    assert await exchange.take("w2", 1, 10) == [job]
    await asyncio.gather(poll, return_exceptions=True)
    assert poll.cancelled()


async def test_a_poll_whose_hold_ends_as_its_job_is_handed_over_still_delivers_it() -> None:
    """Hand-over and timeout fall into one turn of the loop: the job is not forgotten between them."""
    exchange = Exchange()
    poll = asyncio.create_task(exchange.take("w1", 1, 0.02))
    await asyncio.sleep(0)
    job = exchange.submit(REQUEST, Policy())
    time.sleep(0.05)  # noqa: ASYNC251 - the loop must be late for both to be due
    assert await poll == [job]


async def test_jobs_submitted_together_are_taken_together() -> None:
    """A batch poll that waits gets all of them at once."""
    exchange = Exchange()
    poll = asyncio.create_task(exchange.take("w1", 8, 10))
    await asyncio.sleep(0)
    jobs = [exchange.submit(REQUEST, Policy()) for _ in range(3)]
    assert await poll == jobs


async def test_a_drained_worker_is_answered_at_once_and_gets_no_more() -> None:
    """Its poll ends empty, and a job that comes later goes to another."""
    exchange = Exchange()
    poll = asyncio.create_task(exchange.take("w1", 8, 10))
    await asyncio.sleep(0)
    exchange.drain("w1")
    job = exchange.submit(REQUEST, Policy())
    assert await poll == []
    assert await exchange.take("w1", 8, 10) == []
    assert await exchange.take("w2", 8, 10) == [job]
