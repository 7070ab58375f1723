"""What the checks stand on: the target, the load levels, the soak. All else is in the checks themselves."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from checks.burst import seen_in_burst
from checks.early_end import LevelEnd, SoakEnd
from checks.levels import Level, Measured, collect, levels_up_to
from checks.live import log_source
from checks.local import Place, local_target
from checks.memory import as_memory, watched
from checks.spend import metered
from checks.target import Target
from checks.workload import full_length_prompts, load_prompts
from go_live.api_key import read_key
from go_live.config import Config, Slo
from go_live.gate import Gate
from go_live.jobs.client import Endpoint
from go_live.judge.burst import Seen
from go_live.judge.soak import Memory
from go_live.load.runner import LoadPlan, Prompt
from go_live.pytest_plugin import GATE
from go_live.table import Table
from go_live.tuning.effective import effective_cap

SLOTS = 64
"""Connections the checks may hold open at once, beside those of a burst; far above every level."""
SOAK_MEMORY = "soak_memory"
"""Under this name the log keeps the samples of the workers' memory."""
SOAK_ENDED = "soak_ended"
"""Under this name the log keeps why the soak was ended early; None: it was not."""
LEVEL_ENDED = "ended_early"
"""With its level before it, the log keeps under this name why a level was ended early."""
LEVEL_DEADLINE_S = 600
"""Longest a single level may take in all, whatever happens."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A check of ``load_level`` runs once for each level up to the client cap."""
    if "load_level" in metafunc.fixturenames:
        config = metafunc.config.stash[GATE].config
        levels = [c for c in config.load.concurrency if c <= effective_cap(config)]
        metafunc.parametrize("load_level", levels, indirect=True, ids=[f"c={c}" for c in levels])


@pytest.fixture(scope="session")
def config(gate: Gate) -> Config:
    """The thresholds the plan was frozen with."""
    return gate.config


@pytest.fixture(scope="session")
def slo(config: Config) -> Slo:
    """The limits of a load level."""
    return config.slo


@pytest.fixture(scope="session")
def word_for_word(gate: Gate) -> bool:
    """Whether answers must be the golden ones to the letter: the rehearsal's model on the CPU, and the timed engine."""
    device, model = gate.plan.target.device, gate.profile.worker_env.get("MODEL_PATH")
    return device == "timed" or (device == "cpu" and model == "rehearsal/model")


@pytest.fixture(scope="session")
def meaning(gate: Gate) -> None:
    """Asked for by checks of what answers say."""
    if gate.dummy_weights:
        pytest.skip("the weights are dummies (LOAD_FORMAT=dummy): what answers say means nothing")


@pytest.fixture(scope="session")
def prompts(gate: Gate, word_for_word: bool) -> tuple[Prompt, ...]:  # noqa: FBT001 - a fixture
    """What the load asks."""
    if gate.dummy_weights:
        return full_length_prompts(max_tokens=gate.config.load.max_tokens)
    return load_prompts(max_tokens=gate.config.load.max_tokens, word_for_word=word_for_word)


@pytest.fixture(scope="session")
def portal() -> Iterator[BlockingPortal]:
    """The loop on which the client lives."""
    with start_blocking_portal() as portal:
        yield portal
        # An interrupted load must not be waited for.
        portal.call(portal.stop, True)  # noqa: FBT003 - anyio's own signature


@pytest.fixture(scope="session")
def target(gate: Gate, portal: BlockingPortal) -> Iterator[Target]:
    """The endpoint under test, ready to answer."""
    place = local_target if gate.plan.target.kind == "local" else live_target
    with place(gate) as (job_api, endpoint_id, key, logs, memory):
        endpoint = Endpoint(
            job_api,
            endpoint_id,
            key,
            connections=SLOTS + gate.config.burst.in_flight,
            timeout_s=gate.config.client.timeout_s,
        )
        with (
            portal.wrap_async_context_manager(endpoint),
            metered(gate, lambda: portal.call(endpoint.get_raw, "health")),
            log_source(gate, portal, key, logs) as log,
        ):
            where = {"job_api": job_api, "endpoint_id": endpoint_id}
            target = Target(endpoint, portal, **where, key=key, logs=logs, memory=memory, log=log)
            gate.fact({"job_api": job_api, "probe": dict(target.probe(gate.plan.run_id))})
            yield target


@contextmanager
def live_target(gate: Gate) -> Iterator[Place]:
    """The live endpoint, with the key from the environment or from a file."""
    key = read_key(gate.config.keys, os.environ)
    yield gate.config.endpoint.job_api, gate.config.endpoint.id, key, list, None


@pytest.fixture(scope="session")
def load_records(gate: Gate, request: pytest.FixtureRequest) -> Table:
    """Every due request of every load level, measured once, or read from the log that is judged again."""
    if gate.recorded is None:
        target: Target = request.getfixturevalue("target")
        load = gate.config.load
        prompts = request.getfixturevalue("prompts")
        for concurrency in load.concurrency:
            plan = LoadPlan(
                phase="load",
                concurrency=concurrency,
                requests=load.requests_per_level,
                warmup=load.warmup_requests,
                prompts=prompts,
                deadline_s=gate.config.client.timeout_s,
            )
            ending = LevelEnd(gate, plan)
            collect(target, gate, plan, watch=ending.add, stop=ending.stop)
            if ending.why is not None:
                gate.fact({f"{plan.level} {LEVEL_ENDED}": ending.why})
                gate.progress.note(f"  {plan.level} was ended early: {ending.why}")
    return gate.requests.where(phase="load")


@pytest.fixture(scope="session")
def soak(gate: Gate, request: pytest.FixtureRequest) -> Measured:
    """The soak's due requests, measured once, or read from the log that is judged again."""
    if gate.recorded is not None:
        facts = gate.recorded.facts
        return Measured(
            records=gate.requests.where(phase="soak"),
            allow_timed=gate.allow_timed,
            memory=as_memory(facts.get(SOAK_MEMORY, {})),
            ended=facts.get(SOAK_ENDED),
        )
    target: Target = request.getfixturevalue("target")
    config = gate.config
    prompts = request.getfixturevalue("prompts")
    plan = LoadPlan(
        phase="soak",
        concurrency=config.soak.concurrency,
        duration_s=gate.plan.soak_s,
        warmup=config.load.warmup_requests,
        prompts=prompts,
        deadline_s=config.client.timeout_s,
    )
    ending = SoakEnd(gate, plan.most_in_flight)
    with watched(target.memory, gate.plan.soak_s) as samples:
        records = collect(target, gate, plan, watch=ending.add, stop=ending.stop)
    gate.fact({SOAK_MEMORY: samples, SOAK_ENDED: ending.why})
    if ending.why is not None:
        gate.progress.note(f"  the soak was ended early: {ending.why}")
    return Measured(records=records, allow_timed=gate.allow_timed, memory=as_memory(samples), ended=ending.why)


@pytest.fixture(scope="session")
def burst(gate: Gate, request: pytest.FixtureRequest) -> Seen:
    """What was seen of the workers during the burst, measured once, or read from the log that is judged again."""
    if gate.plan.target.kind == "local":
        pytest.skip("the local endpoint of a run has as many workers as its profile says, from the start to the end")
    return seen_in_burst(gate, lambda: request.getfixturevalue("target"), lambda: request.getfixturevalue("prompts"))


@pytest.fixture(scope="session")
def soak_memory(soak: Measured) -> Memory:
    """Resident memory of the workers during the soak; of a resumed one, since it was resumed."""
    return soak.memory


@pytest.fixture
def load_level(request: pytest.FixtureRequest, load_records: Table, gate: Gate) -> Level:
    """One load level up to the client cap."""
    name = f"c={request.param}"
    return Level(name=name, records=load_records.where(level=name), allow_timed=gate.allow_timed)


@pytest.fixture(scope="session")
def measured(load_records: Table, soak: Measured, gate: Gate) -> Measured:
    """All due requests of the levels up to the client cap, and of the soak."""
    del load_records, soak  # asked for so that they have been measured
    records = gate.requests.under_load(levels_up_to(effective_cap(gate.config)))
    return Measured(records=records, allow_timed=gate.allow_timed)
