"""The controller in a world whose clock jumps: it moves traffic, turns it back, and survives being killed anywhere."""

import functools
import math
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from go_live.errors import MeasurementError
from go_live.evidence.dsse import EnvelopeError
from go_live.gateway.routing import DecisionError
from go_live.outcome import Outcome
from go_live.rollout import actuator, book
from go_live.rollout.lease import Holder, LeaseError
from go_live.rollout.record import exposed
from go_live.rollout.seen import Request
from rehearsal.traffic import Quality
from selftest.rollout_world import BEGAN, World, new_key
from tests.go_live.rollout.conftest import Worlds

HOUR_S = 3600.0
SELDOM = {"look_every_s": 600.0, "lease_s": 2000.0, "decision_valid_s": 2000.0}
SLOW = Quality(exec_ms=2600.0)


class KilledError(BaseException):
    """The process is gone: nothing of it is cleaned up."""


def in_force(world: World) -> int:
    """What the gateway gives to the candidate at this moment, percent."""
    decision = actuator.current(world.setting.routes, world.setting.signers)
    return decision.percent_at(world.time) if decision else 0


def given(world: World, until: float = math.inf) -> int:
    """Requests of the candidate in the gateway's record that had ended by then."""
    lines = world.setting.record.read_bytes().splitlines()
    requests = [msgspec.json.decode(line, type=Request) for line in lines]
    return sum(one.arm == "candidate" and one.ended <= until for one in requests)


def test_a_good_candidate_gets_all_of_the_traffic(worlds: Worlds) -> None:
    """10 %, 50 %, 100 %, each step after a PASS; the last decision has no end."""
    world = worlds(rollout=SELDOM)
    state = world.run()
    assert (state.phase, world.percents, in_force(world)) == ("complete", [10, 50, 100], 100)
    assert [part.judged.outcome for part in state.parts if part.judged] == [Outcome.PASS] * 3
    last = actuator.current(world.setting.routes, world.setting.signers)
    assert last is not None
    assert (last.outcome, last.valid_until) == ("pass", None)


@pytest.mark.parametrize(
    "candidate", [SLOW, Quality(fails=0.2), Quality(tokens=0), Quality(dies_after=900)], ids=lambda one: str(one)[8:40]
)
def test_a_bad_candidate_is_turned_back_at_the_first_step(worlds: Worlds, candidate: Quality) -> None:
    """0 % at once, without an end; how many user requests it was given is known."""
    world = worlds(candidate)
    state = world.run()
    assert (state.phase, world.percents, in_force(world)) == ("turned_back", [10], 0)
    (part,) = state.parts
    assert part.judged is not None
    assert part.judged.candidate.exposed == given(world) == exposed(world.setting.record, state) > 0
    assert part.judged.outcome is Outcome.FAIL


def test_a_step_is_judged_by_its_own_requests(worlds: Worlds) -> None:
    """A request that was under way when a step ended came under the weight before, and counts for no later step."""
    world = worlds(rollout={"step_minutes_min": 1.0, "steps_percent": (50, 100)} | SELDOM, per_second=5.0)
    state = world.run()
    for part in state.parts:
        lines = book.evidence(world.setting.directory, part.name).splitlines()
        serials = {msgspec.json.decode(line, type=Request).serial or 0 for line in lines}
        assert part.first_serial <= min(serials)
        assert max(serials) <= (part.last_serial or 0)


def test_nothing_is_sent_after_its_judge_has_died(worlds: Worlds) -> None:
    """A controller that looks no more: the candidate gets nothing once its decision has run out."""
    world = worlds()
    controller = world.controller()
    controller.holder.take()
    controller.step()
    assert in_force(world) == 10
    world.sleep(world.config.rollout.decision_valid_s)
    assert in_force(world) == 0


def test_a_pause_holds_the_weight(worlds: Worlds) -> None:
    """Held, a candidate that has shown everything gets no more; let go, it does."""
    world = worlds(rollout={"step_minutes_min": 2.0, "steps_percent": (50, 100)} | SELDOM)

    def later() -> None:
        if world.time > BEGAN + HOUR_S:
            book.let_go(world.setting.directory)

    book.hold(world.setting.directory, "ada", world.time)
    world.before_sleep = later
    state = world.run()
    first = state.parts[0]
    assert state.phase == "complete"
    assert first.ended_at is not None
    assert first.ended_at - first.began_at > HOUR_S
    assert {look.held_by for look in world.looks if look.judged} == {"ada", ""}


def test_a_pause_does_not_save_a_bad_candidate(worlds: Worlds) -> None:
    """Held, it is turned back all the same."""
    world = worlds(SLOW)
    book.hold(world.setting.directory, "ada", world.time)
    assert world.run().phase == "turned_back"


WRITES = ("keep_part", "keep_decision", "write_state")


def killed_at(monkeypatch: pytest.MonkeyPatch, number: int, *, before: bool) -> None:
    """Let the ``number``-th write of the controller end the process, ``before`` or after it is done."""
    count = 0

    def dying(write: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(write)
        def wrapped(*args: Any, **options: Any) -> Any:
            nonlocal count
            count += 1
            if count == number and before:
                raise KilledError
            done = write(*args, **options)
            if count == number:
                raise KilledError
            return done

        return wrapped

    for name in WRITES:
        monkeypatch.setattr(book, name, dying(getattr(book, name)))
    monkeypatch.setattr(actuator, "publish", dying(actuator.publish))
    monkeypatch.setattr(Holder, "release", lambda _: None)


@pytest.mark.parametrize(("number", "before"), [*((number, True) for number in range(1, 8)), (7, False)])
def test_a_kill_anywhere_changes_nothing(
    worlds: Worlds, monkeypatch: pytest.MonkeyPatch, number: int, *, before: bool
) -> None:
    """Whatever write a kill meets, the next controller turns the candidate back for its reason, by every request."""
    world = worlds(SLOW)
    book.write_state(world.setting.directory, world.state())
    with monkeypatch.context() as patch:
        killed_at(patch, number, before=before)
        with pytest.raises(KilledError):
            world.run()
    world.sleep(world.config.rollout.lease_s + 1)
    state = world.controller(book.read_state(world.setting.directory)).run(world.looks.append)
    assert (state.phase, in_force(world)) == ("turned_back", 0)
    (part,) = state.parts
    assert part.judged is not None
    assert "exec time" in part.judged.reason
    lines = book.evidence(world.setting.directory, part.name).splitlines()
    assert len(lines) == len(set(lines)) == part.judged.candidate.exposed + part.judged.current.exposed
    assert part.ended_at is not None
    assert part.judged.candidate.exposed == given(world, until=part.ended_at)
    serials = [decision.serial for decision, _ in book.decisions(world.setting.directory, world.setting.signers)]
    assert serials == sorted(set(serials))


def test_what_was_signed_and_not_handed_over_is_handed_over(worlds: Worlds) -> None:
    """A kill between the state and the gateway's file: the next controller hands over the same envelope."""
    world = worlds()
    controller = world.controller()
    controller.holder.take()
    controller.step()
    envelope = world.setting.routes.read_bytes()
    world.setting.routes.unlink()
    controller.hand_over()
    assert world.setting.routes.read_bytes() == envelope


def test_a_second_controller_is_refused(worlds: Worlds) -> None:
    """While one holds the lease, another one is refused, and told who it is."""
    world = worlds()
    world.controller().holder.take()
    with pytest.raises(LeaseError, match=r"process \d+ on .* runs this rollout"):
        world.run()


def test_the_controller_that_lost_its_lease_stops(worlds: Worlds) -> None:
    """One that slept for too long, and was replaced, writes nothing more."""
    world = worlds()
    first = world.controller()
    first.holder.take()
    first.step()
    world.sleep(world.config.rollout.lease_s + 1)
    second = world.controller(book.read_state(world.setting.directory))
    second.holder.take()
    before = world.setting.routes.read_bytes()
    world.sleep(200)
    with pytest.raises(LeaseError, match="taken over"):
        first.step()
    assert world.setting.routes.read_bytes() == before


def test_an_abort_takes_the_lease_from_whoever_lives(worlds: Worlds) -> None:
    """By force; the running controller is out at its next look."""
    world = worlds()
    running = world.controller()
    running.holder.take()
    running.step()
    Holder(world.setting.directory.parent, lease_s=1, now=lambda: world.time).take(by_force=True)
    with pytest.raises(LeaseError):
        running.step()


def test_a_record_that_was_replaced_is_no_evidence(worlds: Worlds) -> None:
    """A record cut in the middle of a step ends the judging; nothing is renewed."""
    world = worlds()
    controller = world.controller()
    controller.holder.take()
    controller.step()
    world.sleep(600)
    controller.step()
    world.setting.record.write_bytes(b"")
    with pytest.raises(MeasurementError, match="replaced or cut"):
        controller.step()


def test_without_a_record_nothing_begins(worlds: Worlds) -> None:
    """No gateway, no rollout."""
    world = worlds()
    world.setting.record.unlink()
    with pytest.raises(MeasurementError, match="does `golive gateway serve --routes` run"):
        world.run()
    assert not world.setting.routes.exists()


def test_a_new_rollout_counts_on_from_the_last_decision(worlds: Worlds) -> None:
    """The gateway never goes back to an older serial: a later rollout begins above it."""
    world = worlds(SLOW)
    first = world.run()
    later = world.controller(world.state(rollout="r2"))
    (world.setting.directory / book.STATE).unlink()
    later.holder.take()
    later.step()
    assert later.state.serial == first.serial + 1


def test_the_actuator_acts_on_what_is_signed_and_newer(worlds: Worlds) -> None:
    """An unpinned key, an edited envelope and an older serial are refused; the file stays."""
    world = worlds()
    controller = world.controller()
    controller.holder.take()
    controller.step()
    old = world.setting.routes.read_bytes()
    world.sleep(200)
    controller.step()
    before = world.setting.routes.read_bytes()
    with pytest.raises(DecisionError, match="is not newer"):
        actuator.publish(old, world.setting.routes, world.setting.signers)
    _, strangers = new_key()
    with pytest.raises(EnvelopeError, match="not pinned"):
        actuator.publish(before, world.setting.routes, strangers)
    assert world.setting.routes.read_bytes() == before
