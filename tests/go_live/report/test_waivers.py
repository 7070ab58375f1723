"""Waivers in every rendering: what is waived stays what it is, and who answers for it is named."""

from collections.abc import Sequence
from io import StringIO
from xml.etree import ElementTree as ET

import msgspec
import pytest
from rich.console import Console

from go_live.decide import ItemResult, combine
from go_live.evidence.run_directory import decide_run
from go_live.outcome import Outcome, Verdict
from go_live.report import render
from go_live.report.model import View
from go_live.report.view import run_view
from go_live.waivers import DAY_S, Waiver
from tests.go_live.report import samples

ENDED = 1_795_430_000.0
WAIVER = Waiver(
    item="SOAK-2",
    profile="production",
    owner="Ada Lovelace <ada@example.org>",
    approver="Grace Hopper",
    reason="The soak met a planned rebuild.",
    issued="2026-11-20",
    expires="2026-12-10",
    issued_at=ENDED - 3 * DAY_S,
    expires_at=ENDED + 17 * DAY_S,
    source="waivers.toml, waiver 1 (SOAK-2)",
    approval="approval of the pipeline's run 4711 (APPROVED_RUN)",
    version="v1.0-production",
)
EXPIRED = msgspec.structs.replace(WAIVER, item="PERF-3", expires="2026-11-22", expires_at=ENDED - DAY_S)
WHAT = ("SOAK-2", "FAIL", "Ada Lovelace", "Grace Hopper", "4711", "The soak met a planned rebuild.", "2026-12-10")


def report(*waivers: Waiver, verdicts: dict[str, Sequence[Verdict]] | None = None, age_days: float = 0) -> View:
    """A production run with these waivers, whose soak was slow and that holds otherwise."""
    plan = samples.plan("production", waivers=waivers)
    told = samples.GOOD | {name: samples.BAD[name] for name in ("SOAK-2", "MON-5")} | (verdicts or {})
    results: list[ItemResult] = [
        msgspec.structs.replace(combine(item.id, told.get(item.id, ())), concluded_at=ENDED - age_days * DAY_S)
        for item in plan.items
    ]
    return run_view(
        plan=plan,
        results=results,
        decision=decide_run(plan, results, now=ENDED),
        records=samples.level("c=1", 4),
        facts=samples.FACTS,
        notes=(),
        started="2026-11-23T10:15:00Z",
        finished="2026-11-23T10:21:41Z",
        released=(),
    )


@pytest.fixture(scope="module")
def view() -> View:
    """A run that ends in GO-WITH-WAIVERS, with a waiver beside it that has expired."""
    return report(EXPIRED, WAIVER)


def screen(view: View) -> str:
    """The terminal summary as running text."""
    console = Console(file=StringIO(), width=200, color_system=None, legacy_windows=False)
    render.terminal(view, console)
    assert isinstance(console.file, StringIO)
    return " ".join(console.file.getvalue().split())


def test_the_view(view: View) -> None:
    """The answer is no GO and not green; the item is FAIL and waived, and blocks nothing."""
    assert (view.answer.word, view.answer.tone, view.blocking) == ("GO-WITH-WAIVERS", "warn", ())
    item = next(item for family in view.families for item in family.items if item.id == "SOAK-2")
    assert (item.mark.word, item.satisfied, item.blocking) == ("FAIL", False, False)
    assert item.waived.startswith("waived until 2026-12-10: ")
    assert [(one.item, one.mark.word) for one in view.waivers] == [("SOAK-2", "USED"), ("PERF-3", "EXPIRED")]


@pytest.mark.parametrize("rendering", [render.html, render.markdown, screen])
def test_every_rendering_says_who_answers_for_what(view: View, rendering: object) -> None:
    """Item, outcome, owner, approver, approval, reason and end of the waiver that counts; and the one that does not."""
    assert callable(rendering)
    text = rendering(view)
    assert not [word for word in WHAT if word not in text]
    assert "EXPIRED" in text


def test_the_filled_checklist_has_no_tick(view: View) -> None:
    """A waived item is not ticked, and its line says that it is waived."""
    (line,) = [line for line in render.checklist(view).splitlines() if "**SOAK-2**" in line]
    assert line.startswith("- [ ]")
    assert "FAIL, **waived until 2026-12-10" in line


def test_junit_is_neither_green_nor_red(view: View) -> None:
    """The decision and the waived item are skipped with a message; nothing fails, for the gate's exit code is 0."""
    root = ET.fromstring(render.junit(view))  # noqa: S314 - our own text
    assert root.get("failures") == root.get("errors") == "0"
    skipped = {case.get("name", "").split()[0]: case.find("skipped") for case in root.iter("testcase")}
    for name, words in (("the", ("GO-WITH-WAIVERS", "SOAK-2 (FAIL)")), ("SOAK-2", ("FAIL", *WHAT[2:]))):
        element = skipped[name]
        assert element is not None
        assert all(word in element.get("message", "") for word in words)


def test_junit_is_red_for_what_a_waiver_does_not_cover() -> None:
    """Beside a waived item another that fails is a failure, and so is the decision."""
    bad = samples.latency("c=1", 95, 9000, 8000, Outcome.FAIL, misses=30)
    root = ET.fromstring(render.junit(report(WAIVER, verdicts={"PERF-4": [bad]})))  # noqa: S314 - our own text
    failed = [case.get("name", "").split()[0] for case in root.iter("testcase") if case.find("failure") is not None]
    assert failed == ["the", "PERF-4"]


def test_a_waiver_for_a_commit_names_it() -> None:
    """The scope of a waiver is shown, and that nothing shows its approval."""
    one = msgspec.structs.replace(
        WAIVER, version=None, commit="3389986f0d33", approval="", refused="its approval cannot be verified"
    )
    (shown,) = report(one).waivers
    assert (shown.mark.word, shown.approval, shown.scope) == (
        "FORBIDDEN",
        "not verified",
        "production, commit 3389986f0d33",
    )


def test_how_long_it_holds_is_told(view: View) -> None:
    """The report says until when a release can be made of it, and of a NO-GO it says nothing of the kind."""
    assert {fact.name: fact.value for fact in view.head}["Holds until"] == "2026-11-30T10:33:20Z"
    assert "Holds until" not in {fact.name for fact in report().head}


def test_what_has_expired_is_shown_as_such() -> None:
    """What was too old at the end of the run is NOT RUN in the report, required or not; what lasts longer is not."""
    held = {"ROL-2": samples.GOOD["CODE-3"]}
    for days, words in ((8, ("NOT RUN", "PASS")), (31, ("NOT RUN", "NOT RUN"))):
        old = report(verdicts=held, age_days=days)
        shown = {item.id: item for family in old.families for item in family.items}
        assert (shown["PERF-3"].mark.word, shown["ROL-2"].mark.word) == words
        assert f"expired: concluded {days}.0 days before, and valid for 7" in shown["CODE-3"].reason


def test_a_run_without_waivers_says_nothing_of_them() -> None:
    """Where nobody waived anything, no rendering has a section about it."""
    view = report()
    assert view.waivers == ()
    assert "Waivers" not in render.html(view)
    assert "Waivers" not in render.markdown(view)
