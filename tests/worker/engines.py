"""Engines that tests script: each step of an answer is given, and what happened is remembered."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

from rehearsal.timed_worker import TimedEngine
from worker.engine import Chunk, EngineDead, EngineFailed
from worker.settings import Settings

ANSWER = "Learn the skills of a data engineer: SQL, Python and modelling. Practise them in projects every week."


class ScriptedEngine(TimedEngine):
    """Answers with ``pieces``; an exception among them is raised there, ``None`` waits for ever."""

    def __init__(self, *pieces: str | Exception | None, chosen: Settings | None = None) -> None:
        """Without pieces it gives one good answer."""
        super().__init__(chosen or Settings(), exec_ms=0)
        self._pieces = pieces or (ANSWER,)
        self.asked: list[tuple[str, int, dict[str, Any]]] = []
        self.closed = 0
        self.begun, self.ended = asyncio.Event(), asyncio.Event()

    async def generate(
        self, request_id: str, prompt: Sequence[int], max_tokens: int, sampling: Mapping[str, Any], *, stream: bool
    ) -> AsyncGenerator[Chunk, None]:
        """The pieces, three tokens each."""
        del prompt, stream
        self.asked.append((request_id, max_tokens, dict(sampling)))
        self.begun.set()
        try:
            for piece in self._pieces:
                if piece is None:
                    await asyncio.Event().wait()
                elif isinstance(piece, Exception):
                    self._dead = isinstance(piece, EngineDead)
                    raise piece
                else:
                    yield Chunk(piece, 3)
        finally:
            self.closed += 1
            self.ended.set()


class ColdEngine(ScriptedEngine):
    """Wants to be warmed, and says when it may: ``go`` lets it, ``fails`` makes it fail."""

    warm = False

    def __init__(self, *, fails: bool = False) -> None:
        """Not warm yet."""
        super().__init__()
        self.go = asyncio.Event()
        self._fails = fails

    async def warm_up(self) -> None:
        """Wait for ``go``."""
        await self.go.wait()
        if self._fails:
            raise EngineFailed("no answer")

    def die(self) -> None:
        """Be dead from now on."""
        self._dead = True
