"""The line's asynchronous face: no place is lost, and none is given out twice."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_live.gateway.admission import Admission, NotAdmittedError
from go_live.gateway.line import Line


def admission(cap: int = 1, room: int = 10) -> Admission:
    """On a clock that stands still."""
    return Admission(Line(cap=cap, room=room), service_s=2.0, clock=lambda: 0.0)


async def settle() -> None:
    """Let every task that can run do so."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_place_given_to_one_who_has_just_gone_goes_on() -> None:
    """When a waiting caller goes in the very moment in which his place comes, the next one gets it."""
    gate = admission()
    await gate.enter("ada", 9.0)
    leaving, staying = (asyncio.create_task(gate.enter(name, 9.0)) for name in ("bob", "cyd"))
    await settle()
    gate.leave()
    leaving.cancel()
    await settle()
    assert leaving.cancelled()
    assert staying.done()
    assert gate.line.under_way == 1


async def test_a_place_is_not_given_to_one_whose_going_is_under_way() -> None:
    """When a caller has been cancelled but has not yet run, his place goes to the next at once."""
    gate = admission()
    await gate.enter("ada", 9.0)
    leaving, staying = (asyncio.create_task(gate.enter(name, 9.0)) for name in ("bob", "cyd"))
    await settle()
    leaving.cancel()
    gate.leave()
    await settle()
    assert staying.done()
    assert gate.line.under_way == 1


async def test_the_time_in_the_line_is_bounded() -> None:
    """Who gets no place within his time is told so, with a time at which to come again."""
    gate = admission()
    await gate.enter("ada", 9.0)
    with pytest.raises(NotAdmittedError, match="within the client's time") as error:
        await gate.enter("bob", 0.01)
    assert 1 <= error.value.retry_after_s <= 60
    assert gate.line.waiting == 0


async def test_who_makes_way_is_told() -> None:
    """The request that makes way for another caller's ends with "full"."""
    gate = admission(room=2)
    await gate.enter("flood", 9.0)
    flood = [asyncio.create_task(gate.enter("flood", 9.0)) for _ in range(2)]
    await settle()
    quiet = asyncio.create_task(gate.enter("quiet", 9.0))
    await settle()
    with pytest.raises(NotAdmittedError, match="full"):
        await flood[1]
    gate.close()
    with pytest.raises(NotAdmittedError, match="ending"):
        await quiet
    with pytest.raises(NotAdmittedError, match="ending"):
        await flood[0]
    with pytest.raises(NotAdmittedError, match="ending"):
        await gate.enter("late", 9.0)


@given(steps=st.lists(st.tuples(st.sampled_from(["enter", "cancel", "leave"]), st.integers(0, 5)), max_size=40))
def test_places_add_up(steps: list[tuple[str, int]]) -> None:
    """However callers come, go and end, those under way are the line's count, and nobody waits beside a free place."""

    async def play() -> None:
        gate = admission(cap=2, room=4)
        tasks: list[asyncio.Task[None]] = []
        held = 0
        for what, number in steps:
            if what == "enter":
                tasks.append(asyncio.create_task(gate.enter(f"caller {number % 3}", 9.0)))
            elif what == "cancel" and number < len(tasks):
                tasks[number].cancel()
            elif what == "leave" and held:
                gate.leave()
                held -= 1
            if number % 2:
                continue  # what follows comes before anybody could run
            await settle()
            ended = [task for task in tasks if task.done()]
            held += sum(not task.cancelled() and task.exception() is None for task in ended)
            tasks = [task for task in tasks if not task.done()]
            assert gate.line.under_way == held <= 2
            assert held == 2 or not gate.line.waiting
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(play())
