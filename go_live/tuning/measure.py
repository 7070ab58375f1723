"""Carry a sweep out: rounds of cells in their order, one record a request, hopeless levels ended early."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from go_live.errors import BudgetSpentError, GoliveError, MeasurementError
from go_live.jobs import Endpoint
from go_live.jobs.workers import paid, workers_of
from go_live.judge.asked import of_level
from go_live.judge.stopping import LevelWatch
from go_live.load.progress import Progress
from go_live.load.prompts import golden_load
from go_live.load.recorder import Recorder
from go_live.load.runner import Before, LoadPlan, run_load
from go_live.records import ErrorClass, Record
from go_live.spending import LOOK_EVERY_S, Meter
from go_live.tuning.judging import Told
from go_live.tuning.plan import ROUNDS, Cell, TuningPlan, order, seconds

UNREACHED = frozenset({ErrorClass.CONNECTION, ErrorClass.UNAUTHORIZED, ErrorClass.NOT_FOUND})
"""A round of nothing but these measured no endpoint at all."""
SPARE_CONNECTIONS = 8
"""Above those of the largest level, for polls, cancels and looks at /health."""


class Target:
    """One setting's endpoint, and where its requests are recorded."""

    def __init__(self, endpoint: Endpoint, recorder: Recorder) -> None:
        """``endpoint`` is open, and ``recorder`` too."""
        self.endpoint = endpoint
        self.recorder = recorder


class Sweeping:
    """One sweep while it goes on."""

    def __init__(
        self,
        plan: TuningPlan,
        targets: Mapping[str, Target],
        progress: Progress,
        *,
        assumed_ms: float,
        meter: Meter | None = None,
    ) -> None:
        """Before the first request.

        Args:
            plan: What is swept.
            targets: The endpoint of each setting.
            progress: Where it is shown.
            assumed_ms: What a request is taken to need until some were seen.
            meter: Counts the cost; None where nothing is paid for.
        """
        self._plan, self._targets, self._progress, self._meter = plan, targets, progress, meter
        self._assumed_ms = assumed_ms
        self._watches = {
            Cell(setting, level): LevelWatch(of_level(plan.config.slo), level=f"c={level}", planned=plan.requests)
            for setting in plan.settings
            for level in plan.levels
        }
        self._failed: dict[str, int] = {}
        """Setting -> the lowest level of which a claim is certain to fail."""
        self._took: dict[Cell, float] = {}
        self._rounds: Counter[Cell] = Counter()
        self._prompts = golden_load(plan.config.load.max_tokens)

    async def run(self) -> None:
        """All rounds.

        Raises:
            MeasurementError: the endpoint could not be reached any more.
            BudgetSpentError: it has cost more than it may.
        """
        for number in range(ROUNDS):
            for cell in order(self._plan, number):
                if not self._over(cell):
                    await self._round(cell, number)

    def left_s(self) -> float:
        """Seconds that the rest is expected to take."""
        return sum(
            self._took.get(cell, self._assumed(cell)) * (ROUNDS - self._rounds[cell])
            for cell in self._watches
            if not self._over(cell)
        )

    def _assumed(self, cell: Cell) -> float:
        """Seconds of a round that nobody has seen yet."""
        return seconds(self._plan, cell.level, self._assumed_ms)

    def _over(self, cell: Cell) -> bool:
        """Whether nothing more is to be found out: this level or a lower one of the setting is certain to fail."""
        return cell.level >= self._failed.get(cell.setting, cell.level + 1)

    async def _round(self, cell: Cell, number: int) -> None:
        """One round of one cell.

        Raises:
            MeasurementError: the endpoint could not be reached any more.
            BudgetSpentError: it has cost more than it may.
        """
        plan, target, watch = self._plan, self._targets[cell.setting], self._watches[cell]
        sent, seen = plan.sent(cell.level), list[Record]()
        load = LoadPlan(
            phase="load",
            concurrency=cell.level,
            requests=sent * (number + 1),
            warmup=plan.warmup if number == 0 else 0,
            prompts=self._prompts,
            deadline_s=plan.config.client.timeout_s,
        )

        def on_record(record: Record) -> None:
            target.recorder.add(record)
            self._progress.update(record)
            if record.phase != "load":
                return
            seen.append(record)
            if record.seq % sent >= cell.level:
                for line in watch.add(record):
                    self._progress.note(f"  {_named(cell.setting)} {line}")

        def stop() -> bool:
            return bool(watch.failing()) or self._spent()

        self._progress.start(f"round {number + 1} of {ROUNDS}, {_named(cell.setting)}, c={cell.level}", total=sent)
        began = time.monotonic()
        await run_load(target.endpoint, load, on_record=on_record, stop=stop, before=Before(hits=sent * number))
        self._took[cell] = time.monotonic() - began
        self._rounds[cell] += 1
        self._progress.finish()
        if any(record.error in UNREACHED for record in seen):
            await target.endpoint.health()  # one that was lost on the way says nothing of this level
        self._refuse(seen)
        if watch.failing() and not self._over(cell):
            self._failed[cell.setting] = cell.level
            self._progress.note(f"  {_named(cell.setting)}: c={cell.level} cannot pass; it ends, and all above it")

    def _refuse(self, seen: list[Record]) -> None:
        """Refuse to go on where nothing is measured, or too much was spent.

        Raises:
            MeasurementError: no request of the round reached the endpoint.
            BudgetSpentError: it has cost more than it may.
        """
        if seen and all(record.error in UNREACHED for record in seen):
            last = seen[-1]
            raise MeasurementError(
                f"the endpoint cannot be reached ({last.error}: {last.detail}); nothing is concluded"
            )
        if self._spent() and self._meter is not None:
            raise BudgetSpentError(
                f"stopped: {self._meter.told()} allowed are spent, nothing is concluded; allow more with --max-cost, "
                f"or ask for fewer levels or --runs"
            )

    def _spent(self) -> bool:
        return self._meter is not None and self._meter.spent.dollars > self._meter.limit


async def probed(endpoint: Endpoint, nonce: str, setting: str) -> Told:
    """What a worker tells of itself.

    Raises:
        MeasurementError: it does not answer, not with a probe, or it runs with another MAX_CONCURRENCY than was set.
    """
    answer = await endpoint.complete({"probe": {"nonce": nonce}}, needs_text=False)
    found = answer.output.get("probe") if isinstance(answer.output, Mapping) else None
    if not isinstance(found, Mapping) or found.get("nonce") != nonce:
        raise MeasurementError(f"the worker does not answer a probe ({answer.error}: {answer.detail})")
    told = Told(
        max_concurrency=_integer(_mapping(found.get("worker")).get("max_concurrency")),
        commit=_text(found.get("commit")),
        image=_digest(found.get("image")),
    )
    if setting.isdecimal() and told.max_concurrency != int(setting):
        took = "none that it tells" if told.max_concurrency is None else told.max_concurrency
        raise MeasurementError(f"MAX_CONCURRENCY={setting} was set, and the worker runs with {took}")
    return told


async def watch_spending(endpoint: Endpoint, meter: Meter) -> None:
    """Count what the workers cost, for as long as it is not cancelled."""
    while True:
        await look(endpoint, meter)
        await asyncio.sleep(LOOK_EVERY_S)


async def look(endpoint: Endpoint, meter: Meter) -> None:
    """One look at /health, counted."""
    workers = None
    with suppress(GoliveError):  # an endpoint that does not answer may cost money all the same
        workers = workers_of(await endpoint.get_raw("health"))
    meter.look(time.monotonic(), None if workers is None else paid(workers))


def _named(setting: str) -> str:
    return f"MAX_CONCURRENCY {setting}"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _integer(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _digest(value: Any) -> str | None:
    """The image's digest, with or without its name before it; None where the worker does not know it."""
    digest = (_text(value) or "").rpartition("@")[2]
    return digest if digest.startswith("sha256:") else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
