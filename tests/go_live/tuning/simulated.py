"""A service whose truth is known: so many servers, one queue, first come first served; its requests, as records."""

import heapq
import random
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from go_live import config as configuration
from go_live.config import Config
from go_live.load.recorder import Recorder
from go_live.records import Record
from go_live.table import Table
from go_live.tuning import directory as kept
from go_live.tuning.judging import Told
from go_live.tuning.plan import DEFAULT, ROUNDS, TuningPlan, Where, order

ROOT = Path(__file__).parents[3]
SHIPPED = configuration.load(ROOT / "golive.toml")
WHERE = Where(
    kind="runpod",
    endpoint_id=SHIPPED.endpoint.id,
    job_api=SHIPPED.endpoint.job_api,
    engine="live",
    workers=2,
    workers_max=5,
)
NETWORK_S = 0.01
"""So little that a server idles for less than the least gain between two requests of one client."""

Service = Callable[[random.Random], float]


def steady(draws: random.Random) -> float:
    """A second, give or take three percent."""
    return draws.uniform(0.97, 1.03)


def planned(
    *, levels: tuple[int, ...] = (1, 2, 3, 4, 6, 8), settings: tuple[str, ...] = (DEFAULT,), config: Config = SHIPPED
) -> TuningPlan:
    """A sweep of the live endpoint, as the shipped golive.toml asks for it."""
    return TuningPlan(
        run_id="tune-20261124T180000Z",
        created_at="2026-11-24T18:00:00Z",
        where=WHERE,
        settings=settings,
        levels=levels,
        requests=124,
        warmup=0,
        seed=7,
        commit="a" * 40,
        dirty=False,
        config=config,
    )


def measured(
    plan: TuningPlan, servers: Mapping[str, int], *, service: Service = steady, seed: int = 1
) -> dict[str, list[Record]]:
    """The requests of a whole sweep; ``servers`` of each setting."""
    draws, at = random.Random(seed), 1000.0  # noqa: S311 - a seeded sample, no secret
    found: dict[str, list[Record]] = {setting: [] for setting in plan.settings}
    for number in range(ROUNDS):
        for cell in order(plan, number):
            sent = plan.sent(cell.level)
            records = _round(cell.level, servers[cell.setting], sent, number * sent, (draws, at, service))
            found[cell.setting] += records
            at = max(record.done or 0.0 for record in records) + 1
    return found


def tables(records: Mapping[str, list[Record]]) -> dict[str, Table]:
    """As the judge takes them."""
    return {setting: Table.of(found) for setting, found in records.items()}


def written(folder: Path, plan: TuningPlan, records: Mapping[str, list[Record]], told: Mapping[str, Told]) -> Path:
    """The run directory that such a sweep leaves behind."""
    kept.begin(folder, plan)
    kept.write_told(folder, told)
    for setting, found in records.items():
        with Recorder(kept.records_path(folder, setting)) as recorder:
            for record in found:
                recorder.add(record)
    return folder


def with_limits(config: Config, **slo: float) -> Config:
    """``config`` with other limits of a level."""
    return msgspec.structs.replace(config, slo=msgspec.structs.replace(config.slo, **slo))


def _round(level: int, servers: int, sent: int, first: int, how: tuple[random.Random, float, Service]) -> list[Record]:
    """A closed loop of ``level`` clients, who ask ``sent`` times together."""
    draws, at, service = how
    free = [at] * servers
    due = [at + client * 1e-4 for client in range(level)]
    heapq.heapify(due)
    records = []
    for seq in range(first, first + sent):
        asked = heapq.heappop(due)
        begun = max(asked, heapq.heappop(free))
        took = service(draws)
        done = begun + took + NETWORK_S
        heapq.heappush(free, begun + took)
        heapq.heappush(due, done)
        records.append(
            Record(
                seq=seq,
                phase="load",
                level=f"c={level}",
                due=asked,
                wall=1.76e9 + asked,
                sent=asked + 0.0005,
                done=done,
                http_status=200,
                job_status="COMPLETED",
                delay_ms=(begun - asked) * 1000,
                execution_ms=took * 1000,
                output_tokens=150,
                worker="w1",
            )
        )
    return records
