"""The endpoint under test, as checks drive it: synchronous calls over the asynchronous client."""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import anyio
from anyio.from_thread import BlockingPortal

from checks.memory import Look
from go_live.jobs.answer import Answer
from go_live.jobs.client import Endpoint
from go_live.jobs.transport import Health, Reply

Event = dict[str, Any]


class Target:
    """One endpoint, and the log of its workers where it can be read."""

    def __init__(
        self,
        endpoint: Endpoint,
        portal: BlockingPortal,
        *,
        job_api: str,
        endpoint_id: str,
        key: str = "",
        logs: Callable[[], Iterable[Path]],
        memory: Look | None,
    ) -> None:
        """``endpoint`` is open on the portal's loop; ``logs`` gives the workers' log files (none if live)."""
        self.endpoint = endpoint
        self.job_api = job_api
        self.endpoint_id = endpoint_id
        self.key = key
        """The endpoint's key, for what stands before the endpoint."""
        self.memory = memory
        """Tells the workers' resident memory; None where it cannot be seen."""
        self._portal = portal
        self._logs = logs

    def complete(
        self, job_input: Mapping[str, Any], *, deadline_s: float | None = None, needs_text: bool = True
    ) -> Answer:
        """One job over /runsync, seen to its end."""
        return self._portal.call(
            lambda: self.endpoint.complete(job_input, deadline_s=deadline_s, needs_text=needs_text)
        )

    def complete_streaming(self, job_input: Mapping[str, Any], *, deadline_s: float | None = None) -> Answer:
        """One job over /run and /stream."""
        return self._portal.call(lambda: self.endpoint.complete_streaming(job_input, deadline_s=deadline_s))

    def complete_all(self, inputs: Sequence[Mapping[str, Any]]) -> list[Answer]:
        """All jobs at once; answers in the order of ``inputs``."""
        return self._portal.call(self._complete_all, inputs)

    async def _complete_all(self, inputs: Sequence[Mapping[str, Any]]) -> list[Answer]:
        answers: dict[int, Answer] = {}

        async def one(index: int) -> None:
            answers[index] = await self.endpoint.complete(inputs[index])

        async with anyio.create_task_group() as group:
            for index in range(len(inputs)):
                group.start_soon(one, index)
        return [answers[index] for index in range(len(inputs))]

    def post_raw(self, path: str, body: bytes) -> Reply:
        """POST these very bytes."""
        return self._call(lambda: self.endpoint.post_raw(path, body))

    def _call(self, send: Callable[[], Awaitable[Reply]]) -> Reply:
        reply: Reply = self._portal.call(send)
        return reply

    def run(self, job_input: Mapping[str, Any]) -> Reply:
        """POST /run."""
        return self._call(lambda: self.endpoint.run(job_input))

    def cancel(self, job: str) -> Reply:
        """POST /cancel."""
        return self._call(lambda: self.endpoint.cancel(job))

    def status(self, job: str) -> Reply:
        """GET /status."""
        return self._call(lambda: self.endpoint.status(job))

    def health(self) -> Health:
        """GET /health."""
        return self._portal.call(self.endpoint.health)

    def with_key(self, key: str, send: Callable[[Endpoint], Any]) -> Any:
        """What ``await send(endpoint)`` gives when the endpoint is called with another key."""

        async def call() -> Any:
            async with Endpoint(self.job_api, self.endpoint_id, key) as other:
                return await send(other)

        return self._portal.call(call)

    def call(self, function: Callable[[], Any]) -> Any:
        """Run an async function on the client's loop."""
        return self._portal.call(function)

    def log_text(self) -> str:
        """All that the workers wrote; empty where no log can be read."""
        return "".join(path.read_text(encoding="utf-8", errors="replace") for path in self._logs())

    def events(self) -> list[Event]:
        """The workers' structured lines (``ready``, ``start``, ``end``), in the order they were written."""
        return [event for line in self.log_text().splitlines() if (event := _event(line)) is not None]

    def probe(self, nonce: str) -> Mapping[str, Any]:
        """The worker's answer to a probe.

        Raises:
            AssertionError: it did not answer with a probe.
        """
        answer = self.complete({"probe": {"nonce": nonce}}, needs_text=False)
        assert answer.error is None, f"the probe was not answered: {answer.error}: {answer.detail}"
        assert isinstance(answer.output, dict), "the probe's answer is no object"
        probe = answer.output.get("probe")
        assert isinstance(probe, dict), "the probe's answer has no probe"
        return probe


def _event(line: str) -> Event | None:
    """A structured line of the worker, or None for anything else that stands in its log."""
    if not line.startswith("{"):
        return None
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "event" in event else None
