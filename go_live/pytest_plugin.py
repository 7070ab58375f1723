"""Runs the checks: which check answers which item, what it concluded, and nothing that can look green by accident.

A check is a pytest test marked with ``@item("PERF-2")``. It reports through the ``verdict`` fixture. What counts:

- verdicts reported, and the test ended normally: those verdicts;
- a failed ``assert`` (or ``pytest.fail``): FAIL, with the assertion's first line;
- a skip: NOT_RUN, with its reason;
- any other exception, in the check or in what it needs: ERROR, because nothing was measured;
- an end without any verdict: ERROR, because a check that says nothing has shown nothing.
"""

import time
from collections.abc import Callable, Collection, Generator
from typing import Protocol

import pytest

from go_live.errors import BudgetSpentError, GoliveError, MeasurementError, ResumeRefusedError, UsageError
from go_live.evidence.run_directory import CheckReport
from go_live.gate import MEASURED, Gate
from go_live.outcome import Outcome, Verdict

GATE = pytest.StashKey[Gate]()
"""Where hooks of the checks find the run."""
DETAIL_CHARS = 300
ENDS_THE_RUN = (ResumeRefusedError, BudgetSpentError)
"""Errors after which no further check may run, and the one that met them has not reported."""


class Verdicts(Protocol):
    """The ``verdict`` fixture: report one verdict or more."""

    def __call__(self, *verdicts: Verdict) -> None:
        """Report ``verdicts`` as this check's conclusion."""


def item(*ids: str) -> pytest.MarkDecorator:
    """Mark a check as the answer to the checklist items ``ids``."""
    return pytest.mark.item(*ids)


def ids_of(check: pytest.Item) -> tuple[str, ...]:
    """The item ids that ``check`` answers."""
    return tuple(name for mark in check.iter_markers("item") for name in mark.args)


def name_of(check: pytest.Item) -> str:
    """How ``check`` is named in the log."""
    return check.nodeid.rsplit("/", 1)[-1]


class GatePlugin:
    """A pytest plugin that runs the selected checks and hands each report to ``on_report``."""

    def __init__(
        self,
        gate: Gate,
        *,
        selected: Collection[str],
        on_report: Callable[[CheckReport], None],
        on_collected: Callable[[list[tuple[str, tuple[str, ...]]]], None] = lambda _: None,
        on_start: Callable[[str, str], None] = lambda _test, _claim: None,
        wanted: Callable[[frozenset[str]], bool] = lambda _fixtures: True,
        done: Collection[str] = (),
    ) -> None:
        """``gate`` is the run, ``selected`` the ids to be answered; ``wanted`` picks checks by their fixtures.

        ``done`` are checks that have reported before the run was killed: what they said stands.
        """
        self._gate = gate
        self._order = {item.id: index for index, item in enumerate(gate.plan.items)}
        self._selected = set(selected)
        self._on_report = on_report
        self._on_collected = on_collected
        self._on_start = on_start
        self._wanted = wanted
        self._done = frozenset(done)
        self._verdicts: list[Verdict] = []
        self._began = 0.0
        self.error: GoliveError | None = None
        """Why the checks could not be collected; None when they could."""

    def pytest_configure(self, config: pytest.Config) -> None:
        """Declare the marker, and hand the run to the checks."""
        config.stash[GATE] = self._gate
        config.addinivalue_line("markers", "item(*ids): the checklist items that this check answers")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Keep the selected checks, in the checklist's order; refuse a check that answers no item of the checklist."""
        self.error = self.error or next((error for check in items if (error := self._misfit(check))), None)
        if self.error is not None:
            items.clear()
        items[:] = sorted(
            (check for check in items if self._asked(check)),
            key=lambda check: (_stage(_fixtures(check)), min(self._order[name] for name in ids_of(check))),
        )
        self._on_collected([(check.nodeid, ids_of(check)) for check in items])
        session.testscollected = len(items)

    def _asked(self, check: pytest.Item) -> bool:
        """Whether ``check`` is to run."""
        return (
            bool(self._selected & set(ids_of(check)))
            and self._wanted(_fixtures(check))
            and name_of(check) not in self._done
        )

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A module of checks that cannot be imported stops the run: what it would have asked must not go missing."""
        if report.failed:
            self.error = MeasurementError(f"{report.nodeid} cannot be collected: {_last_line(report.longreprtext)}")

    def _misfit(self, check: pytest.Item) -> UsageError | None:
        """Why ``check`` does not fit the checklist; None when it does."""
        names = ids_of(check)
        if not names:
            return UsageError(f"{check.nodeid} answers no item: mark it with @item(...)")
        if unknown := [name for name in names if name not in self._order]:
            return UsageError(f"{check.nodeid} answers {', '.join(unknown)}, which the checklist does not have")
        return None

    @pytest.fixture(scope="session")
    def gate(self) -> Gate:
        """The run that the checks belong to."""
        return self._gate

    @pytest.fixture
    def verdict(self) -> Verdicts:
        """Report the check's verdicts."""

        def report(*verdicts: Verdict) -> None:
            if not verdicts:
                raise ValueError("verdict() was called with nothing to report")
            self._verdicts.extend(verdicts)

        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Begin a check with no verdicts."""
        self._verdicts = []
        self._began = time.monotonic()
        self._on_start(item.nodeid, _claim(item))
        return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self) -> None:
        """No check begins that would spend more than the run may."""
        if self._gate.meter is not None:
            self._gate.meter.refuse_over()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Turn the end of the check (or of a set-up or tear-down that failed) into one report."""
        report = yield
        if call.excinfo is not None and isinstance(call.excinfo.value, ENDS_THE_RUN):
            # Nothing was concluded and nothing may be added to the evidence.
            self.error = call.excinfo.value
            pytest.exit(str(self.error))
        if call.when == "call" or call.excinfo is not None:
            names = ids_of(item)
            self._on_report(
                CheckReport(
                    test=name_of(item),
                    items=names,
                    verdicts=tuple(conclude_check(_claim(item), self._verdicts, call)),
                    seconds=round(time.monotonic() - self._began, 3),
                )
            )
        return report


def conclude_check(claim: str, reported: list[Verdict], call: pytest.CallInfo[None]) -> list[Verdict]:
    """The verdicts of one check from what it reported and how it ended."""
    if call.excinfo is None:
        if reported:
            return reported
        return [Verdict(claim=claim, outcome=Outcome.ERROR, reason="the check ended without a verdict")]
    error = call.excinfo.value
    text = _first_lines(error)
    if isinstance(error, pytest.skip.Exception):
        outcome = Outcome.NOT_RUN
    elif isinstance(error, AssertionError | pytest.fail.Exception):
        outcome = Outcome.FAIL
    else:
        outcome, text = Outcome.ERROR, f"could not measure: {text}"
    return [*reported, Verdict(claim=claim, outcome=outcome, reason=text)]


def _stage(fixtures: frozenset[str]) -> int:
    """What needs no load comes first, so that a worker that does not answer is told of in seconds; the soak is late.

    The burst is last: the workers that it brings up stay for a while, and would serve the load.
    """
    if "burst" in fixtures:
        return 3
    return 2 if "soak" in fixtures else int(bool(MEASURED & fixtures))


def _fixtures(check: pytest.Item) -> frozenset[str]:
    """Names of all fixtures that ``check`` asks for, directly or through others."""
    return frozenset(getattr(check, "fixturenames", ()))


def _claim(check: pytest.Item) -> str:
    """The check's claim: the first line of its docstring."""
    doc = getattr(getattr(check, "obj", None), "__doc__", None)
    return (doc or check.name).strip().splitlines()[0].rstrip(".")


def _last_line(text: str) -> str:
    """The last line of a traceback that says something."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "no reason was given")


def _first_lines(error: BaseException) -> str:
    """What an exception says, on one line of bounded length."""
    text = " ".join(str(error).split()) or type(error).__name__
    known = isinstance(error, AssertionError | pytest.fail.Exception | pytest.skip.Exception)
    text = text if known else f"{type(error).__name__}: {text}"
    return text if len(text) <= DETAIL_CHARS else text[: DETAIL_CHARS - 1] + "…"
