"""The line as a state machine: whatever comes in whatever order, it keeps its promises."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from go_live.gateway.line import Line, Place, Ticket

CALLERS = st.sampled_from(["ada", "bob", "cyd"])


class AnyTraffic(RuleBasedStateMachine):
    """A line under any traffic, beside the plainest account of it."""

    @initialize(cap=st.integers(1, 4), room=st.integers(1, 6))
    def begin(self, cap: int, room: int) -> None:
        """An empty line."""
        self.line = Line(cap=cap, room=room)
        self.now = 0.0
        self.waiting: list[Ticket] = []
        self.started: list[Ticket] = []
        self.under_way = 0

    @rule(caller=CALLERS, patience=st.floats(0.1, 10))
    def ask(self, caller: str, patience: float) -> None:
        """A request comes."""
        ticket = Ticket(caller, self.now + patience)
        asked = self.line.ask(ticket)
        if asked.dropped is not None:
            assert asked.place is Place.WAITING
            mine = sum(t.caller == caller for t in self.waiting)
            theirs = sum(t.caller == asked.dropped.caller for t in self.waiting)
            assert theirs > mine + 1, "only who waits with more makes way"
            self.waiting.remove(asked.dropped)
        if asked.place is Place.UNDER_WAY:
            assert not self.waiting, "nobody overtakes"
            self.under_way += 1
        elif asked.place is Place.WAITING:
            self.waiting.append(ticket)

    @rule()
    def end(self) -> None:
        """One that was under way ends, and places are filled."""
        if self.under_way:
            self.line.end()
            self.under_way -= 1
        self.fill()

    def fill(self) -> None:
        """Start whom the line says."""
        started, late = self.line.start(self.now)
        for ticket in started:
            assert ticket.deadline > self.now, "nobody starts when his time is up"
            self.waiting.remove(ticket)
            self.under_way += 1
        for ticket in late:
            assert ticket.deadline <= self.now, "nobody is sent away before his time is up"
            self.waiting.remove(ticket)
        idle = self.under_way < self.line.cap
        assert not (idle and self.waiting), "no place stays free while somebody waits"

    @rule(number=st.integers(0, 9))
    def leave(self, number: int) -> None:
        """One who waits goes."""
        if number < len(self.waiting):
            assert self.line.leave(self.waiting.pop(number))

    @rule(seconds=st.floats(0, 5))
    def pass_by(self, seconds: float) -> None:
        """Time passes."""
        self.now += seconds

    @invariant()
    def bounds_hold(self) -> None:
        """Never more under way than the cap, never more waiting than the room; both are told as they are."""
        assert self.line.under_way == self.under_way <= self.line.cap
        assert self.line.waiting == len(self.waiting) <= self.line.room


AnyTraffic.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestAnyTraffic = AnyTraffic.TestCase


@given(waiting=st.lists(CALLERS, min_size=1, max_size=40), cap=st.integers(1, 3))
def test_nobody_is_starved(waiting: list[str], cap: int) -> None:
    """A caller's k-th request starts after at most k requests of each other caller, whatever else waits."""
    line = Line(cap=cap, room=100)
    for _ in range(cap):
        line.ask(Ticket("first", 1.0))
    tickets = [Ticket(caller, 1.0) for caller in waiting]
    for ticket in tickets:
        assert line.ask(ticket).place is Place.WAITING
    order: list[str] = []
    while line.waiting:
        line.end()
        started, _ = line.start(0.0)
        order += [ticket.caller for ticket in started]
    assert sorted(order) == sorted(waiting)
    for caller in set(waiting):
        places = [place for place, name in enumerate(order) if name == caller]
        for turn, place in enumerate(places, start=1):
            others = {name: order[:place].count(name) for name in set(waiting) - {caller}}
            assert all(count <= turn for count in others.values())


def test_a_flood_turns_itself_away() -> None:
    """With the room full of one caller's requests, another still gets in, and the flood's newest makes way."""
    line = Line(cap=1, room=3)
    line.ask(Ticket("flood", 9.0))
    flood = [Ticket("flood", 9.0) for _ in range(3)]
    for ticket in flood:
        line.ask(ticket)
    assert line.ask(Ticket("flood", 9.0)).place is Place.TURNED_AWAY
    asked = line.ask(Ticket("quiet", 9.0))
    assert (asked.place, asked.dropped) == (Place.WAITING, flood[-1])


def test_a_late_request_costs_its_caller_no_turn() -> None:
    """When a caller's oldest request is late, his next one starts in its place."""
    line = Line(cap=1, room=9)
    line.ask(Ticket("first", 9.0))
    late, next_one, other = Ticket("ada", 1.0), Ticket("ada", 9.0), Ticket("bob", 9.0)
    for ticket in (late, next_one, other):
        line.ask(ticket)
    line.end()
    assert line.start(2.0) == ([next_one], [late])


def test_nothing_ends_that_was_not_under_way() -> None:
    """A place given back twice is an error, not one place more."""
    with pytest.raises(ValueError, match="nothing is under way"):
        Line(cap=1, room=1).end()
