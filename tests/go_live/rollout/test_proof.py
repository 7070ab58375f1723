"""ROL-1 and ROL-2: what a rollout left behind proves them, and nothing less does."""

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from go_live.config import Config
from go_live.gateway.routing import ROLLOUTS, sign
from go_live.outcome import Outcome
from go_live.release.trust import line
from go_live.rollout import book
from go_live.rollout.proof import STEPPED, WATCHED, answer
from rehearsal.traffic import Quality
from selftest.rollout_world import World, new_key, settings

SELDOM = {"look_every_s": 600.0, "lease_s": 2000.0, "decision_valid_s": 2000.0}
WATCH = settings().rollout.watch


class Left(msgspec.Struct, frozen=True):
    """A project in which a rollout was watched to its end."""

    root: Path
    directory: Path
    world: World


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Left:
    """Made once: a rollout that passed."""
    root = tmp_path_factory.mktemp("rollout")
    watch = msgspec.structs.replace(WATCH, hours=4.0)
    world = World(root / "reports" / "rollout", Quality(), config=settings(**SELDOM, watch=watch))
    assert world.run().phase == "complete"
    world.slow_down(per_second=0.2)
    assert world.watch().phase == "watched"
    pinned = line("rollout@example.org", world.setting.key.blob, ROLLOUTS)
    (root / "rollout_signers").write_text(pinned, encoding="utf-8")
    return Left(root, world.setting.directory, world)


@pytest.fixture
def left(made: Left, tmp_path: Path) -> Left:
    """A copy, to tamper with."""
    shutil.copytree(made.root, tmp_path / "project")
    return Left(tmp_path / "project", tmp_path / "project" / "reports" / "rollout" / "r1", made.world)


def test_a_rollout_that_passed_proves_both(made: Left) -> None:
    """Judged again from its evidence, each step and the watch pass."""
    steps, watch = (answer(item, made.root, made.world.config) for item in (STEPPED, WATCHED))
    assert (steps.outcome, watch.outcome) == (Outcome.PASS, Outcome.PASS)
    assert "requests at 10 %" in steps.reason


def without_decisions(left: Left) -> None:
    """No decision was kept."""
    (left.directory / book.DECISIONS).unlink()


def with_unsigned_decisions(left: Left) -> None:
    """Every decision is signed by a stranger."""
    key, _ = new_key()
    kept = book.decisions(left.directory, left.world.setting.signers)
    text = b"".join(sign(decision, key.private) for decision, _ in kept)
    (left.directory / book.DECISIONS).write_bytes(text)


def without_the_last_decision(left: Left) -> None:
    """Nothing says that the traffic stayed."""
    path = left.directory / book.DECISIONS
    path.write_bytes(b"\n".join(path.read_bytes().splitlines()[:-1]) + b"\n")


def without_the_middle_step(left: Left) -> None:
    """50 % was never judged."""
    (left.directory / "step-50.json").unlink()


def with_another_step_in_its_place(left: Left) -> None:
    """The judgement of 50 % stands for 10 %, too."""
    for name in ("json", "jsonl.gz"):
        shutil.copy(left.directory / f"step-50.{name}", left.directory / f"step-10.{name}")


def without_its_evidence(left: Left) -> None:
    """Nobody can judge again."""
    (left.directory / "step-10.jsonl.gz").unlink()


def with_fewer_requests(left: Left) -> None:
    """A request was taken out."""
    path = left.directory / "step-10.jsonl.gz"
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    path.write_bytes(gzip.compress(b"".join(lines[1:])))


def with_an_edited_judgement(left: Left) -> None:
    """The envelope was changed after it was signed."""
    path = left.directory / "step-10.json"
    path.write_bytes(path.read_bytes().replace(b'"payload": "ey', b'"payload": "eX', 1))


@pytest.mark.parametrize(
    ("tamper", "says"),
    [
        (without_decisions, "no signed decision began it"),
        (with_unsigned_decisions, "no signed decision began it"),
        (without_the_last_decision, "no signed decision left all of the traffic"),
        (without_the_middle_step, "step-50 of r1 has not ended"),
        (with_another_step_in_its_place, "it is the judgement of step-50"),
        (without_its_evidence, "cannot read"),
        (with_fewer_requests, "its requests are not those that were judged"),
        (with_an_edited_judgement, "proves nothing"),
    ],
)
def test_nothing_less_proves_the_steps(left: Left, tamper: Callable[[Left], None], says: str) -> None:
    """Without signed decisions, signed judgements and their evidence for each step there is no PASS."""
    tamper(left)
    found = answer(STEPPED, left.root, left.world.config)
    assert found.outcome is not Outcome.PASS
    assert says in found.reason


def test_requests_of_another_decision_prove_nothing(left: Left) -> None:
    """Evidence that was gathered under decisions which nobody signed is refused, whoever signed the judgement."""
    world = left.world
    state = book.read_state(left.directory)
    assert state is not None
    lines = book.evidence(left.directory, "step-10").replace(b'"serial":', b'"serial":9').splitlines(keepends=True)
    book.keep_part(left.directory, state, state.parts[0], lines, world.setting.key.private)
    found = answer(STEPPED, left.root, world.config)
    assert (found.outcome, "under no signed decision" in found.reason) == (Outcome.FAIL, True)


def test_evidence_is_judged_by_todays_limits(made: Left) -> None:
    """A judgement that passed does not stand where the limits of golive.toml say otherwise."""
    config = made.world.config
    strict = msgspec.structs.replace(config, slo=msgspec.structs.replace(config.slo, exec_ms_p50=1500))
    found = answer(STEPPED, made.root, strict)
    assert (found.outcome, "exec p50 is at most 1500 ms" in found.reason) == (Outcome.FAIL, True)


def renamed(config: Config, **release: str) -> Config:
    """Another release."""
    return msgspec.structs.replace(config, release=msgspec.structs.replace(config.release, **release))


def test_another_release_has_no_rollout(made: Left) -> None:
    """A rollout speaks for the version it was begun for."""
    found = answer(STEPPED, made.root, renamed(made.world.config, version="v2.0-production"))
    assert found.outcome is Outcome.NOT_RUN
    assert "golive rollout start" in found.reason


def test_another_endpoint_is_another_matter(made: Left) -> None:
    """The endpoint that was validated has to be the one that traffic moved to."""
    config = made.world.config
    other = msgspec.structs.replace(config, endpoint=msgspec.structs.replace(config.endpoint, id="other"))
    found = answer(STEPPED, made.root, other)
    assert (found.outcome, "other was validated" in found.reason) == (Outcome.FAIL, True)


def test_nobody_pinned_is_an_error(left: Left) -> None:
    """Where nobody is believed, nothing can be said."""
    (left.root / "rollout_signers").write_text("# nobody\n", encoding="utf-8")
    found = answer(STEPPED, left.root, left.world.config)
    assert (found.outcome, "pins nobody" in found.reason) == (Outcome.ERROR, True)


def test_a_watch_that_was_cut_short_is_no_pass(made: Left) -> None:
    """Four hours are not twenty-four."""
    config = made.world.config
    longer = msgspec.structs.replace(config, rollout=msgspec.structs.replace(config.rollout, watch=WATCH))
    assert answer(WATCHED, made.root, longer).outcome is Outcome.INCONCLUSIVE
