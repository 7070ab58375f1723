"""An event loop whose time jumps to the next timer, so that an hour of load takes milliseconds."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from go_live.jobs.answer import Answer
from go_live.load.runner import Clock
from go_live.records import ErrorClass


class JumpingSelector(selectors.DefaultSelector):
    """Never blocks: what would have been waited is added to the loop's time."""

    def __init__(self) -> None:
        """Time begins at 1000 s: a monotonic clock rarely begins at 0."""
        super().__init__()
        self.now = 1000.0

    def select(self, timeout: float | None = None) -> Any:
        """Jump over ``timeout``."""
        events = super().select(0)
        if not events:
            assert timeout is not None, "nothing will ever happen any more"
            self.now += max(0.0, timeout)
        return events


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on virtual time."""

    def __init__(self) -> None:
        """Run on a jumping selector."""
        self.jumping = JumpingSelector()
        super().__init__(self.jumping)

    def time(self) -> float:
        """Virtual seconds."""
        return self.jumping.now

    def block(self, seconds: float) -> None:
        """Let time pass as if a callback had blocked the loop."""
        self.jumping.now += seconds


def run(main: Coroutine[Any, Any, Any]) -> None:
    """Run a coroutine on virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main)


def clock() -> Clock:
    """The running virtual loop's clock; Unix time is one million seconds ahead of it."""
    loop = asyncio.get_running_loop()
    return Clock(now=loop.time, wall=lambda: loop.time() + 1e6, sleep=asyncio.sleep)


class Fake:
    """An endpoint without a network: how long the n-th job takes and what comes of it is scripted."""

    def __init__(
        self, seconds: Callable[[int], float], error: Callable[[int], ErrorClass | None] | None = None
    ) -> None:
        """``seconds`` and ``error`` of job number n, from 0."""
        self.seconds = seconds
        self.error = error or (lambda _number: None)
        self.calls = 0
        self.in_flight = 0
        self.most_in_flight = 0

    async def complete(self, job_input: Mapping[str, Any], *, deadline_s: float | None = None) -> Answer:
        """Take the scripted time."""
        assert job_input
        assert deadline_s
        number, self.calls = self.calls, self.calls + 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        loop = asyncio.get_running_loop()
        sent = loop.time()
        try:
            await asyncio.sleep(self.seconds(number))
        finally:
            self.in_flight -= 1
        error = self.error(number)
        text = None if error else "Learn SQL."
        status = "FAILED" if error else "COMPLETED"
        return Answer(job_status=status, error=error, text=text, sent=sent, done=loop.time(), output_tokens=150)

    async def complete_streaming(self, job_input: Mapping[str, Any], *, deadline_s: float | None = None) -> Answer:
        """The same, by its other name."""
        return await self.complete(job_input, deadline_s=deadline_s)
