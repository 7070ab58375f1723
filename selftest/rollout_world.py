"""A rollout's world in one process: a clock that jumps, callers, two endpoints of known quality, and a gateway."""

import heapq
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from go_live import config as configuration
from go_live.config import Config
from go_live.gateway.routing import ROLLOUTS
from go_live.gateway.split import Split
from go_live.release.signing import Key
from go_live.release.trust import Signer, line, parse
from go_live.rollout import actuator, book
from go_live.rollout.controller import Controller, Look, Setting
from go_live.rollout.state import State
from rehearsal.traffic import Quality, requests

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
BEGAN = 1_800_000_000.0


CURRENT, CANDIDATE = "old", "4cqta56swdioxi"
"""The candidate is the endpoint that the shipped golive.toml names."""


def settings(**rollout: Any) -> Config:
    """The shipped configuration with other values of ``[rollout]``."""
    shipped = configuration.load(ROOT / "golive.toml")
    return msgspec.structs.replace(shipped, rollout=msgspec.structs.replace(shipped.rollout, **rollout))


def new_key() -> tuple[Key, tuple[Signer, ...]]:
    """A key that signs decisions, and the line that pins it."""
    key = Key(path=None, private=Ed25519PrivateKey.generate())
    return key, parse(line("rollout@example.org", key.blob, ROLLOUTS), name="signers")


class World:
    """Time passes only in ``sleep``, and callers ask meanwhile; the gateway acts on the file that it is given."""

    def __init__(
        self,
        directory: Path,
        candidate: Quality,
        *,
        current: Quality | None = None,
        config: Config | None = None,
        per_second: float = 1.0,
        seed: int = 1,
    ) -> None:
        """Nothing has happened yet."""
        self.config = config or settings(look_every_s=20.0, lease_s=90.0)
        self.time = BEGAN
        self.qualities = {"current": current or Quality(), "candidate": candidate}
        self.percents: list[int] = []
        """The candidate's share at each moment in which it changed."""
        self._per_second, self._seed, self._split = per_second, seed, Split()
        self._under_way: list[tuple[float, int, bytes]] = []
        self._asked = 0
        key, signers = new_key()
        directory = directory / "r1"
        directory.mkdir(parents=True, exist_ok=True)
        self.setting = Setting(
            config=self.config,
            directory=directory,
            routes=directory / "route.json",
            record=directory / "gateway.jsonl",
            key=key,
            signers=signers,
            now=lambda: self.time,
            sleep=self.sleep,
        )
        self.setting.record.touch()
        self.before_sleep: Callable[[], None] = lambda: None
        self.looks: list[Look] = []

    def state(self, **changes: Any) -> State:
        """A rollout that has not begun."""
        made = State(
            rollout="r1",
            version="v1.0-production",
            current=CURRENT,
            candidate=CANDIDATE,
            sticky=False,
            steps=self.config.rollout.steps_percent,
            began_at=self.time,
        )
        return msgspec.structs.replace(made, **changes)

    def controller(self, state: State | None = None) -> Controller:
        """One that has not looked yet."""
        return Controller(self.setting, state or self.state())

    def run(self) -> State:
        """Step to the end."""
        return self.controller().run(self.looks.append)

    def watch(self) -> State:
        """Watch the newest state to the end."""
        state = book.read_state(self.setting.directory)
        return self.controller(state).watch(self.looks.append)

    def slow_down(self, *, per_second: float) -> None:
        """So many requests a second from now on."""
        self._per_second = per_second

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.before_sleep()
        decision = actuator.current(self.setting.routes, self.setting.signers)
        percent = decision.percent_at(self.time) if decision else 0
        if not self.percents or self.percents[-1] != percent:
            self.percents.append(percent)
        told = {"rollout": decision.rollout, "serial": decision.serial} if decision else {}
        self._seed += 1
        asked = requests(
            self.qualities,
            lambda: self._split.pick(percent),
            begin=self.time,
            seconds=seconds,
            per_second=self._per_second,
            seed=self._seed,
            more=told,
            since_s=self.time - BEGAN,
        )
        for one in asked:
            self._asked += 1
            ends = one["wall"] + one["total_ms"] / 1000
            heapq.heappush(self._under_way, (ends, self._asked, msgspec.json.encode(one) + b"\n"))
        self.time += seconds
        with self.setting.record.open("ab") as file:
            while self._under_way and self._under_way[0][0] <= self.time:
                file.write(heapq.heappop(self._under_way)[2])
