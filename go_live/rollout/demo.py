"""``python -m go_live.rollout.demo``: rollouts of a good candidate and of bad ones, on this machine, in minutes.

Everything is real but the model: two local endpoints with worker processes under the RunPod SDK, the gateway, callers,
and ``golive rollout start`` in processes of their own. The timed engine answers; execution times are a fifth of
the readiness summary's, everything else that is judged stands in golive.toml as it is but for what ``SCALED`` names.
"""

import asyncio
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from rich.console import Console
from rich.table import Table

from go_live.errors import ExitCode, GoliveError, MeasurementError
from go_live.gateway import keys
from go_live.gateway.routing import ROLLOUTS
from go_live.local_endpoint.launch import LaunchedEndpoint, launched
from go_live.local_endpoint.settings import EndpointSettings
from go_live.release.trust import ed25519_blob, line
from go_live.toml_text import edited

EXEC_MS = 560.0
"""A fifth of the readiness summary's 2788 ms. The SDK adds up to a tenth of a second, more of it to a worker with
little to do: of shorter times that would be a tenth, and an equal candidate would look slower at 10 %."""
FACTOR = 5
SLOWER = 1.3
CURRENT, CANDIDATE = "current", "candidate"
CALLERS, PER_SECOND = 60, 75.0
"""So many requests come a second: a load that the current endpoint carries on two cores beside everything else. One
that is overloaded is slower itself, and a slower candidate would look as good."""
READY_S, STOP_S, STORY_S = 60.0, 20.0, 150.0
KEY_ENV = "GOLIVE_LOCAL_KEY"
SCALED = {
    "endpoint.id": f'"{CANDIDATE}"',
    "client.concurrency_cap": "60",
    "client.timeout_s": "5",
    "gateway.waiting_max": "200",
    "rollout.step_minutes_min": "0.05",
    "rollout.step_requests_min": "100",
    "rollout.look_every_s": "0.5",
    "rollout.decision_valid_s": "6",
    "rollout.lease_s": "6",
}
"""What is otherwise than in golive.toml, so that minutes are enough."""


@dataclass(frozen=True, kw_only=True)
class Story:
    """A candidate, and what has to become of it."""

    name: str
    says: str
    complete: bool = False
    """Whether it is to reach 100 %; else it is to be turned back at the first step."""
    worker: dict[str, str] = field(default_factory=dict)
    """Environment of its worker."""
    faults: tuple[dict[str, Any], ...] = ()
    dies_after_s: float | None = None
    values: dict[str, str] = field(default_factory=dict)
    """Of golive.toml, beside ``SCALED``."""


STORIES = (
    Story(
        name="good",
        says="answers like the current one (95 % success are to be shown: a fifth of the requests)",
        complete=True,
        values={
            "slo.success_rate": "0.95",
            "rollout.success_margin": "0.05",
            "rollout.consecutive_failures_max": "7",
        },
    ),
    Story(
        name="fails 5 %",
        says="one request in twenty fails",
        faults=({"scenario": "failed", "share": 0.05, "seed": 3},),
    ),
    Story(name="30 % slower", says="takes 30 % longer", worker={"TIMED_EXEC_MS": f"{EXEC_MS * SLOWER:g}"}),
    Story(name="empty answers", says="answers in time, and nothing", worker={"TIMED_EMPTY": "true"}),
    Story(name="dies", says="is killed, workers and all, after some seconds", dies_after_s=5.0),
)


@dataclass(frozen=True, kw_only=True)
class Told:
    """What became of a story."""

    story: Story
    outcome: str
    phase: str
    turned_back_at: int | None
    """Percent; None: it was not."""
    exposed: int
    reason: str
    seconds: float

    @property
    def as_promised(self) -> bool:
        """Whether the good one arrived, or the bad one was turned back at the first step."""
        if self.story.complete:
            return self.phase == "complete"
        return self.phase == "turned_back" and self.turned_back_at == 10  # noqa: PLR2004 - the first step


def main(arguments: Sequence[str] | None = None) -> int:
    """Tell the stories (all, or those named); 0: each ended as promised."""
    wanted = list(sys.argv[1:] if arguments is None else arguments)
    console = Console(stderr=True, highlight=False)
    stories = [one for one in STORIES if not wanted or one.name in wanted]
    if not stories:
        console.print(f"no such story; there are: {', '.join(one.name for one in STORIES)}")
        return ExitCode.USAGE
    began = time.monotonic()
    console.print(
        f"{len(stories)} rollouts on this machine: the timed engine answers in {EXEC_MS:g} ms (1/{FACTOR} of the "
        f"summary's), {CALLERS} callers ask {PER_SECOND:g} times a second, steps last seconds."
    )
    try:
        told = _told(stories, console)
    except GoliveError as error:
        console.print(f"rollout-demo: {error}", markup=False, style="red")
        return error.exit_code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    show(told, time.monotonic() - began)
    return ExitCode.GO if all(one.as_promised for one in told) else ExitCode.NO_GO


def _told(stories: Sequence[Story], console: Console) -> list[Told]:
    """All stories, one after the other, from the same current endpoint."""
    with tempfile.TemporaryDirectory(prefix="golive-rollout-") as made:
        folder, key = Path(made), secrets.token_urlsafe(24)
        places = [endpoint(CURRENT, folder / CURRENT, key)]
        places += [endpoint(CANDIDATE, folder / f"{at}", key, **story.worker) for at, story in enumerate(stories)]
        console.print(f"  starting {len(places)} endpoints")
        with together(places) as (current, *candidates):
            return [
                tell(story, current, candidate, console, f"{at} of {len(stories)}: ")
                for at, (story, candidate) in enumerate(zip(stories, candidates, strict=True), start=1)
            ]


def tell(
    story: Story, current: LaunchedEndpoint, candidate: LaunchedEndpoint, console: Console, number: str = ""
) -> Told:
    """One story, from a new gateway to its end.

    Raises:
        GoliveError: a part of it did not start, or did not end in time.
    """
    console.rule(f"{number}a candidate that {story.says}")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="golive-rollout-") as folder:
        said = _roll_out(story, current, candidate, Path(folder))
    ended = said["parts"][-1] if said["parts"] else {"percent": None}
    told = Told(
        story=story,
        outcome=said["outcome"],
        phase=said["phase"],
        turned_back_at=ended["percent"] if said["phase"] == "turned_back" else None,
        exposed=said["exposed"],
        reason=said["reason"],
        seconds=time.monotonic() - began,
    )
    where = "reached 100 %" if told.turned_back_at is None else f"turned back at {told.turned_back_at} %"
    console.print(f"  {where} after {told.exposed} of its requests, {told.seconds:.0f} s: {told.reason}", markup=False)
    return told


def show(told: Sequence[Told], seconds: float) -> None:
    """The table at the end."""
    table = Table(title=f"{len(told)} rollouts in {seconds:.0f} s")
    for heading in ("candidate", "turned back at", "user requests exposed", "reason", ""):
        table.add_column(heading, justify="right" if heading.startswith("user") else "left")
    for one in told:
        back = "not: it has 100 %" if one.turned_back_at is None else f"{one.turned_back_at} %"
        mark = "as promised" if one.as_promised else "NOT AS PROMISED"
        table.add_row(one.story.name, back, str(one.exposed), one.reason, mark)
    Console().print(table)


def _roll_out(story: Story, current: LaunchedEndpoint, candidate: LaunchedEndpoint, folder: Path) -> dict[str, Any]:
    """Start gateway and callers, roll out, stop them; what ``golive rollout start --json`` said."""
    config = Path("golive.toml").read_text(encoding="utf-8")
    (folder / "golive.toml").write_text(edited(config, SCALED | story.values), encoding="utf-8")
    environment = os.environ | {KEY_ENV: current.key, "GOLIVE_ROLLOUT_KEY": str(signing_key(folder))}
    caller = keys.new_key("demo", "2026-01-01")
    keys.write(folder / "callers.json", (caller[1],))
    with (
        _gateway(folder, current, candidate, environment) as job_api,
        _callers(f"{job_api}/{CURRENT}/runsync", caller[0]),
    ):
        for fault in story.faults:
            candidate.switch_fault(**fault)
        if story.dies_after_s is not None:
            threading.Thread(target=_kill, args=(candidate, folder / "route.json", story.dies_after_s)).start()
        return _start(folder, environment)


def _start(folder: Path, environment: dict[str, str]) -> dict[str, Any]:
    """``golive rollout start``, its progress on our standard error.

    Raises:
        MeasurementError: it ended without a result, or not in time.
    """
    command = [sys.executable, "-m", "go_live", "rollout", "start", "--current", CURRENT, "--json"]
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, timeout=STORY_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise MeasurementError(f"the rollout did not end within {STORY_S:g} s") from error
    try:
        said: dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:
        raise MeasurementError(f"golive rollout ended with {done.returncode} and without a result") from error
    return said


def signing_key(folder: Path) -> Path:
    """A new key, pinned for this folder's gateway; where it lies."""
    private = Ed25519PrivateKey.generate()
    path = folder / "rollout_key"
    path.touch(0o600)
    path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    blob = ed25519_blob(private.public_key().public_bytes_raw())
    (folder / "rollout_signers").write_text(line("rollout@example.org", blob, ROLLOUTS), encoding="utf-8")
    return path


@contextmanager
def together(places: Sequence[AbstractContextManager[LaunchedEndpoint]]) -> Iterator[list[LaunchedEndpoint]]:
    """Start them all at once, and stop them all at once.

    Raises:
        GoliveError: one did not start; those that did are stopped.
    """
    with ThreadPoolExecutor(len(places)) as pool:
        starts = [pool.submit(place.__enter__) for place in places]
        wait(starts)
        up = [place for place, start in zip(places, starts, strict=True) if start.exception() is None]
        try:
            yield [start.result() for start in starts]
        finally:
            wait([pool.submit(place.__exit__, None, None, None) for place in up])


@contextmanager
def endpoint(name: str, folder: Path, key: str, **worker: str) -> Iterator[LaunchedEndpoint]:
    """A local endpoint with one timed worker."""
    folder.mkdir(exist_ok=True)
    pace = {"TIMED_EXEC_MS": f"{EXEC_MS:g}", "TIMED_SPREAD": "0.1", "MAX_CONCURRENCY": "256"}
    settings = EndpointSettings(
        endpoint_id=name,
        key=key,
        directory=folder / "endpoint",
        worker_command=(sys.executable, "-m", "rehearsal.timed_worker"),
        worker_env=pace | worker,
        engine="timed",
        rate_limits=False,
        stop_grace_s=3,
    )
    with launched(settings, ready_timeout_s=READY_S) as running:
        yield running


def _kill(endpoint: LaunchedEndpoint, routes: Path, after_s: float) -> None:
    """The end of an endpoint, so long after traffic was given to it: its workers go with it."""
    end = time.monotonic() + READY_S
    while not routes.exists() and time.monotonic() < end:
        time.sleep(0.1)
    time.sleep(after_s)
    with suppress(ProcessLookupError):
        os.kill(endpoint.pid, signal.SIGKILL)


@contextmanager
def _gateway(
    folder: Path, current: LaunchedEndpoint, candidate: LaunchedEndpoint, environment: dict[str, str]
) -> Iterator[str]:
    """``golive gateway serve`` before both; the base of its job API.

    Raises:
        MeasurementError: it did not start.
    """
    serve = ["gateway", "serve", "--key-env", KEY_ENV, "--port", "0", "--metrics-port", "0", "--json"]
    where = ["--job-api", current.job_api, "--endpoint", CURRENT, f"{CANDIDATE}={candidate.job_api}"]
    follows = ["--routes", "route.json", "--rollout-signers", "rollout_signers"]
    with (folder / "gateway.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "go_live", *serve, *where, *follows],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        told = process.stdout.readline() if process.stdout is not None else ""
        if not told:
            raise MeasurementError(f"the gateway did not start: {(folder / 'gateway.log').read_text()[-300:]}")
        yield json.loads(told)["job_api"]
    finally:
        for _ in range(2):  # the second one ends it without waiting for what is under way
            process.send_signal(signal.SIGINT)
            time.sleep(0.2)
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=STOP_S)
        process.kill()


@contextmanager
def _callers(url: str, key: str) -> Iterator[None]:
    """Callers that ask ``url`` in turn, for as long as the context lasts."""
    stop = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_ask(url, key, stop.is_set)), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(STOP_S)


async def _ask(url: str, key: str, over: Callable[[], bool]) -> None:
    """Ask until it is ``over``."""
    connector, headers = aiohttp.TCPConnector(limit=0), {"Authorization": f"Bearer {key}"}
    body = {"input": {"prompt": "How do I become a data engineer?"}}
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:

        async def caller(number: int) -> None:
            clock, every_s = asyncio.get_running_loop().time, CALLERS / PER_SECOND
            due = clock() + every_s * number / CALLERS
            while not over():
                await asyncio.sleep(max(0.0, due - clock()))
                due = max(due + every_s, clock())
                with suppress(aiohttp.ClientError):
                    async with session.post(url, json=body) as response:
                        await response.read()

        await asyncio.gather(*(caller(number) for number in range(CALLERS)))


if __name__ == "__main__":
    sys.exit(main())
