"""``python -m rehearsal.timed_worker``: the worker's own handler over an engine that only takes time.

It needs neither a model nor vLLM, starts in a second and answers with canned texts after TIMED_EXEC_MS: the golden
answers for the golden prompts, one text for all others. The other TIMED_ variables make it vary, err, slow down and
leak by known amounts (:mod:`rehearsal.pace`). Every response and the probe name it, so that nothing measured on it
passes for evidence about a model.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

from rehearsal.golden import golden_prompts
from rehearsal.pace import Pace
from worker import settings
from worker.engine import Chunk, EngineDead, Messages, batched_tokens
from worker.serve import serve
from worker.settings import Settings

FALLBACK = (
    "To become a data engineer, first learn the core skills: SQL, Python and data modelling. Practise them in small "
    "projects, build pipelines that move real data, and study one cloud platform well. Then show your résumé and "
    "portfolio to a mentor, train for interviews, and apply after about six months of steady practice. Your "
    "experience grows with each project, so keep learning, ask for feedback and develop one new skill each month."
)
"""The answer to every prompt that is not a golden one."""
WRONG = (
    "It is hard to say anything about that in general. Some people do it in one way and others in quite another, and "
    "both can be fine, as long as nobody minds. It also depends on the weather, and on what day of the week it is."
)
"""The wrong answer: fluent, of a usual length, and to another question."""
WORDS_PER_CHUNK = 2
EXEC_MS_DEFAULT = 2788.0
"""The recorded execution p50 (readiness summary, load test table)."""

PARSERS: dict[str, settings.Parser] = {
    "TIMED_EXEC_MS": settings.number(0, 3_600_000),
    "TIMED_DIES_AT_JOB": settings.positive,
    "TIMED_EMPTY": settings.boolean,
    "TIMED_SPREAD": settings.number(0, 0.99),
    "TIMED_SLOW_SHARE": settings.number(0, 1),
    "TIMED_SLOW_FACTOR": settings.number(1, 1000),
    "TIMED_WRONG_SHARE": settings.number(0, 1),
    "TIMED_GROWTH_PER_HOUR": settings.number(0, 1000),
    "TIMED_LEAK_MIB_PER_HOUR": settings.number(0, 1_000_000),
    "TIMED_HOUR_S": settings.number(0, 1_000_000, above_low=True),
    "TIMED_SEED": settings.positive,
}
PACE = ("spread", "slow_share", "slow_factor", "wrong_share", "growth_per_hour", "leak_mib_per_hour", "hour_s", "seed")
"""Fields of ``Pace`` that a TIMED_ variable sets."""


class TimedEngine:
    """An engine whose answer takes a known time, in even pieces; one word is one token.

    Its ``dies_at_job``-th request finds it dead half-way, and so does everything after that; 0: it never dies. One that
    is ``empty`` takes its time and says nothing.
    """

    kind = "timed"
    warm = True

    def __init__(
        self,
        chosen: Settings,
        exec_ms: float = EXEC_MS_DEFAULT,
        dies_at_job: int = 0,
        pace: Pace | None = None,
        *,
        empty: bool = False,
    ) -> None:
        """``exec_ms`` is the time of each answer, unless a ``pace`` says how it varies."""
        self._settings, self._dies_at, self._empty = chosen, dies_at_job, empty
        self._pace = pace or Pace(exec_ms=exec_ms)
        self._draws = self._pace.draws()
        self._began: float | None = None
        self._leaked: list[bytes] = []
        self._answers = {golden.prompt: golden.answer for golden in golden_prompts()}
        self._texts = (FALLBACK, *self._answers.values())
        self._seen = 0
        self._dead = False

    def start(self) -> None:
        """There is nothing to load."""

    async def warm_up(self) -> None:
        """There is nothing to warm."""

    def facts(self) -> dict[str, Any]:
        """What it was told; it has no cache and uses no device."""
        return {
            "engine": {
                "kind": self.kind,
                "exec_ms": float(self._pace.exec_ms),
                "max_model_len": self._settings.max_model_len,
                "max_num_seqs": self._settings.max_num_seqs,
                "max_num_batched_tokens": batched_tokens(self._settings),
            },
            "kv_cache_tokens": None,
            "device_memory_used_mib": None,
            "device_memory_total_mib": None,
        }

    def render(self, messages: Messages) -> list[int]:
        """One token for each four characters, rounded up: the readiness summary's rule of thumb.

        The token's value is the number of the text that answers, since nothing else comes along to ``generate``.
        """
        answer = self._answers.get(messages[-1]["content"], FALLBACK)
        return [self._texts.index(answer)] * -(-sum(len(message["content"]) for message in messages) // 4)

    async def generate(
        self, request_id: str, prompt: Sequence[int], max_tokens: int, sampling: Mapping[str, Any], *, stream: bool
    ) -> AsyncGenerator[Chunk, None]:
        """The canned answer, evenly over the time."""
        del request_id
        self._seen += 1
        doomed = self._seen == self._dies_at
        began = time.monotonic()
        exec_s, text = self._drawn(began, self._texts[prompt[0]])
        words = cut(text.split(" "), max_tokens, sampling)
        size = WORDS_PER_CHUNK if stream else len(words)
        pieces = [words[at : at + size] for at in range(0, len(words), size)]
        for number, piece in enumerate(pieces, 1):
            await self._until(began + exec_s * number / len(pieces) * (0.5 if doomed else 1.0))
            if doomed or self._dead:
                self._dead = True
                raise EngineDead("the timed engine was told to die")
            yield Chunk((" " if number > 1 else "") + " ".join(piece), len(piece))

    def _drawn(self, now: float, right: str) -> tuple[float, str]:
        """How long the next answer takes, seconds, and its text; memory is leaked up to now."""
        self._began = now if self._began is None else self._began
        elapsed_s = now - self._began
        if (more := self._pace.leaked_bytes(elapsed_s) - sum(map(len, self._leaked))) > 0:
            self._leaked.append(b"\x01" * more)  # zeros would not be resident
        exec_ms, wrong = self._pace.draw(self._draws, elapsed_s)
        return exec_ms / 1000, "" if self._empty else WRONG if wrong else right

    async def _until(self, due: float) -> None:
        if (left := due - time.monotonic()) > 0:
            await asyncio.sleep(left)

    def alive(self) -> bool:
        """Until it is told to die."""
        return not self._dead

    def shutdown(self) -> None:
        """There is nothing to end."""


def cut(words: list[str], max_tokens: int, sampling: Mapping[str, Any]) -> list[str]:
    """As many ``words`` as a real engine would give: up to a stop string, or on and on where it may not end."""
    if sampling.get("ignore_eos"):
        words = words * -(-max_tokens // len(words))
    text = " ".join(words[:max_tokens])
    stop = sampling.get("stop") or []
    for ending in [stop] if isinstance(stop, str) else stop:
        text = text.split(ending)[0]
    return text.split(" ")


def main() -> int:
    """Run until SIGTERM; 2 where the settings are wrong."""
    try:
        engine, chosen = configured(os.environ)
    except settings.SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    serve(engine, chosen)
    return 0


def configured(environment: Mapping[str, str]) -> tuple[TimedEngine, Settings]:
    """The engine and the worker's settings that ``environment`` describes.

    Raises:
        SettingsError: what is wrong, all of it.
    """
    parsers = {name: parse for name, parse in settings.PARSERS.items() if name != "MODEL_PATH"}
    values, wrong = settings.collect(environment, parsers)
    timed, wrong_timed = settings.collect(environment, PARSERS)
    settings.raise_if_any(wrong + wrong_timed)
    chosen = Settings(**values, warnings=settings.misspelt(environment))
    exec_ms = timed.get("timed_exec_ms", EXEC_MS_DEFAULT)
    varied = {name: timed[f"timed_{name}"] for name in PACE if f"timed_{name}" in timed}
    try:
        pace = Pace(exec_ms=exec_ms, **varied)
    except ValueError as error:
        raise settings.SettingsError(str(error)) from error
    empty = timed.get("timed_empty", False)
    return TimedEngine(chosen, exec_ms, timed.get("timed_dies_at_job", 0), pace, empty=empty), chosen


if __name__ == "__main__":
    sys.exit(main())
