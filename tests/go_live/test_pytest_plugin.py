"""The plugin: no check looks green by accident."""

from pathlib import Path
from typing import Any

import pytest

from go_live import checklist
from go_live.errors import GoliveError, MeasurementError, ResumeRefusedError, UsageError
from go_live.evidence.run_directory import CheckReport
from go_live.gate import Gate
from go_live.outcome import Outcome
from go_live.pytest_plugin import GatePlugin

pytest_plugins = ["pytester"]

HEAD = "## X: things\n\n| id | claim | phase | required by | evidence age |\n|---|---|---|---|---|\n"
ITEMS = checklist.parse(HEAD + "".join(f"| X-{i} | It works | before-tag | rehearsal | 7 d |\n" for i in (1, 2, 3)))
IMPORTS = """
import pytest
from go_live.pytest_plugin import item
from go_live.outcome import Outcome, Verdict
PASS = Verdict(claim="c", outcome=Outcome.PASS, reason="shown")
"""


class FakePlan:
    """The only part of a plan that the plugin reads."""

    items = ITEMS


def run(pytester: pytest.Pytester, body: str, **options: Any) -> tuple[list[CheckReport], GoliveError | None]:
    """Run ``body`` as a module of checks under the plugin: reports, and what went wrong with collecting."""
    (pytester.path / "test_checks.py").write_text(IMPORTS + body, encoding="utf-8")
    reports: list[CheckReport] = []
    gate = Gate(
        plan=FakePlan(),  # type: ignore[arg-type]
        root=Path(),
        directory=Path(),
        record=lambda _record: None,
        due=lambda _record: None,
        fact=lambda _facts: None,
        progress=None,  # type: ignore[arg-type]
    )
    plugin = GatePlugin(
        gate, selected=options.pop("selected", ("X-1", "X-2", "X-3")), on_report=reports.append, **options
    )
    pytester.inline_run("-p", "no:terminal", "-p", "no:cacheprovider", "-p", "no:asyncio", plugins=[plugin])
    return reports, plugin.error


@pytest.mark.parametrize(
    ("body", "outcome", "reason"),
    [
        ("verdict(PASS)", Outcome.PASS, "shown"),
        ("pass", Outcome.ERROR, "without a verdict"),
        ("verdict()", Outcome.ERROR, "nothing to report"),
        ("assert 1 == 2, 'one is not two'", Outcome.FAIL, "one is not two"),
        ("pytest.fail('no')", Outcome.FAIL, "no"),
        ("pytest.skip('no GPU here')", Outcome.NOT_RUN, "no GPU here"),
        ("raise OSError('the cable')", Outcome.ERROR, "could not measure: OSError: the cable"),
        ("verdict(PASS); raise OSError('late')", Outcome.ERROR, "late"),
        ("verdict(PASS); assert False, 'after all'", Outcome.FAIL, "after all"),
    ],
)
def test_how_a_check_ends_decides_what_counts(
    pytester: pytest.Pytester, body: str, outcome: Outcome, reason: str
) -> None:
    """Verdicts, failed asserts, skips, crashes and silence each have their one meaning."""
    (report,), error = run(pytester, f'@item("X-1")\ndef test_it(verdict):\n    """It works."""\n    {body}\n')
    assert error is None
    last = report.verdicts[-1]
    assert (last.outcome, report.items) == (outcome, ("X-1",))
    assert reason in last.reason


def test_a_broken_fixture_is_an_error_of_every_check_that_needs_it(pytester: pytest.Pytester) -> None:
    """When set-up fails nothing was measured: ERROR, for each check."""
    body = """
@pytest.fixture
def target():
    raise RuntimeError("no endpoint")
@item("X-1")
def test_a(target, verdict): verdict(PASS)
@item("X-2")
def test_b(target, verdict): verdict(PASS)
"""
    reports, _ = run(pytester, body)
    assert [report.verdicts[0].outcome for report in reports] == [Outcome.ERROR, Outcome.ERROR]


def test_a_tear_down_that_fails_is_an_error_too(pytester: pytest.Pytester) -> None:
    """A check whose tear-down crashes cannot stay green."""
    body = """
@pytest.fixture
def target():
    yield
    raise RuntimeError("it died")
@item("X-1")
def test_a(target, verdict): verdict(PASS)
"""
    reports, _ = run(pytester, body)
    assert [v.outcome for report in reports for v in report.verdicts][-1] is Outcome.ERROR


def test_checks_run_in_the_checklists_order(pytester: pytest.Pytester) -> None:
    """Whatever their order in the file, checks run in the order of their items."""
    body = "".join(f'@item("X-{i}")\ndef test_{i}(verdict): verdict(PASS)\n' for i in (3, 1, 2))
    reports, _ = run(pytester, body)
    assert [report.items for report in reports] == [("X-1",), ("X-2",), ("X-3",)]


def test_only_selected_items_are_asked(pytester: pytest.Pytester) -> None:
    """A check of an item that was not selected does not run."""
    body = "".join(f'@item("X-{i}")\ndef test_{i}(verdict): verdict(PASS)\n' for i in (1, 2))
    reports, _ = run(pytester, body, selected=("X-2",))
    assert [report.items for report in reports] == [("X-2",)]


@pytest.mark.parametrize(
    ("body", "kind", "told"),
    [
        ("def test_it(verdict): verdict(PASS)\n", UsageError, "answers no item"),
        ('@item("Y-9")\ndef test_it(verdict): verdict(PASS)\n', UsageError, "Y-9"),
        ("import a_module_that_is_not_there\n", MeasurementError, "a_module_that_is_not_there"),
    ],
)
def test_a_check_without_an_item_stops_the_run(
    pytester: pytest.Pytester, body: str, kind: type[GoliveError], told: str
) -> None:
    """A check without an item, with an unknown one, or that cannot be imported, stops the run before it measures."""
    good = '@item("X-1")\ndef test_good(verdict): verdict(PASS)\n'
    reports, error = run(pytester, body + good)
    assert reports == []
    assert isinstance(error, kind)
    assert told in str(error)


def test_what_was_reported_before_a_kill_stands(pytester: pytest.Pytester) -> None:
    """A check that has reported is not asked again by the resumed run."""
    body = "".join(f'@item("X-1")\ndef {name}(verdict):\n    verdict(PASS)\n' for name in ("test_it", "test_other"))
    reports, error = run(pytester, body, done=["test_checks.py::test_it"])
    assert error is None
    assert [report.test for report in reports] == ["test_checks.py::test_other"]


def test_a_refused_resume_adds_nothing(pytester: pytest.Pytester) -> None:
    """When the target is another one, no report is written and the run ends with that error."""
    body = (
        "from go_live.errors import ResumeRefusedError\n"
        "@pytest.fixture\ndef target():\n    raise ResumeRefusedError('another target')\n"
        '@item("X-1")\ndef test_it(target, verdict):\n    verdict(PASS)\n'
    )
    reports, error = run(pytester, body)
    assert reports == []
    assert isinstance(error, ResumeRefusedError)


def test_what_needs_no_load_comes_first(pytester: pytest.Pytester) -> None:
    """The checklist's order holds, but for checks of what was measured under load: those come later, the soak last."""
    body = (
        "@pytest.fixture\ndef soak():\n    pass\n@pytest.fixture\ndef load_records():\n    pass\n"
        '@item("X-1")\ndef test_soaked(soak, verdict):\n    verdict(PASS)\n'
        '@item("X-2")\ndef test_loaded(load_records, verdict):\n    verdict(PASS)\n'
        '@item("X-3")\ndef test_asked(verdict):\n    verdict(PASS)\n'
    )
    reports, _ = run(pytester, body)
    assert [report.items for report in reports] == [("X-3",), ("X-2",), ("X-1",)]
