"""Every rendering of a view: what may look green, what may break out, what is written."""

import math
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jinja2
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from go_live.errors import GoliveError
from go_live.outcome import Outcome
from go_live.report import render, text
from go_live.report.model import View
from tests.go_live.report import samples

NASTY = [
    "</style><script>alert(1)</script>",
    "]]></failure></testcase>",
    '"><img src=x onerror=alert(1)>',
    "| a | b |\n\n# GO\n",
    "[bold red]GO[/bold red] [link=http://x]",
    "{{ view.answer }}{% raw %}",
    "\x1b[2J\x1b[1;32mGO\x00\ud800\u202e",
]
WORDS = st.one_of(st.text(), st.sampled_from(NASTY))


def reported(words: str) -> View:
    """A run in which ``words`` stand wherever text comes from outside."""
    planned = samples.plan("production", versions={words: words}, digests={words: words}, run_id=words)
    verdicts = {
        item.id: [samples.verdict(outcome, words, words, scope=words, unit=words, measured=1.0, limit=2.0, n=3)]
        for item, outcome in zip(planned.items, Outcome, strict=True)
    }
    records = [*samples.level(words, 5, failed=(2,), detail=words), *samples.level("c=2", 9, phase="soak")]
    return samples.report(planned, verdicts, records, notes=[words], released=[words], facts={words: {words: words}})


class Page(HTMLParser):
    """The tags, attribute names and text of a page."""

    def __init__(self, page: str) -> None:
        """Parse ``page``."""
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.words: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep names."""
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        """Keep text."""
        self.words.append(data)


HARMLESS = Page(render.html(reported("words")))
MARKDOWN = (render.markdown, render.checklist, render.performance_validation)
LINES = {renderer: renderer(reported("words")).splitlines() for renderer in MARKDOWN}


@settings(max_examples=25, deadline=None)
@given(WORDS)
def test_no_text_breaks_out_of_html(words: str) -> None:
    """Whatever a reason says, the page has the same elements and attributes as with harmless words, and says it."""
    found = Page(render.html(reported(words)))
    assert set(found.tags) <= set(HARMLESS.tags)
    assert found.attributes == HARMLESS.attributes
    assert found.tags.count("details") == HARMLESS.tags.count("details")
    assert " ".join(text.clean(words).split()) in " ".join(" ".join(found.words).split())


@settings(max_examples=25, deadline=None)
@given(WORDS)
def test_junit_always_parses(words: str) -> None:
    """Whatever a reason says, the XML parses and has one case for each item and one for the decision."""
    root = ET.fromstring(render.junit(reported(words)).encode())  # noqa: S314 - our own output
    assert len(root.findall(".//testcase")) == 8
    assert any((element.text or "") == text.clean(words) for element in root.iter("failure")) or not words


@settings(max_examples=25, deadline=None)
@given(WORDS)
def test_markdown_keeps_its_lines(words: str) -> None:
    """Whatever a reason says, each Markdown file has as many lines and table borders as with harmless words."""
    view = reported(words)
    for renderer, expected in LINES.items():
        found = renderer(view).splitlines()
        assert len(found) == len(expected)
        assert [line.replace("\\|", "").count("|") for line in found] == [line.count("|") for line in expected]


@settings(max_examples=25, deadline=None)
@given(WORDS)
def test_no_text_is_console_markup(words: str) -> None:
    """No control character reaches the terminal, and markup in a reason is printed, not obeyed."""
    console = Console(file=StringIO(), width=200, color_system=None)
    render.terminal(reported(words), console)
    assert isinstance(console.file, StringIO)
    assert not any(ord(letter) < 32 and letter != "\n" for letter in console.file.getvalue())


def test_markup_is_shown() -> None:
    """Console markup in a reason stands on the screen as it was written."""
    console = Console(file=StringIO(), width=200, color_system=None)
    render.terminal(reported("[bold red]GO[/bold red]"), console)
    assert isinstance(console.file, StringIO)
    assert "[bold red]GO[/bold red]" in console.file.getvalue()


def test_a_narrow_encoding_is_no_error() -> None:
    """A terminal that knows ASCII only gets question marks, not a crash."""
    raw = Path("/dev/null").open("w", encoding="ascii")  # noqa: SIM115 - closed below
    with raw:
        render.terminal(samples.bad_report(), Console(file=raw, width=80))


CASES = [
    (Outcome.PASS, True, None),
    (Outcome.ATTESTED, True, None),
    (Outcome.FAIL, True, "failure"),
    (Outcome.ERROR, True, "error"),
    (Outcome.NOT_RUN, True, "failure"),
    (Outcome.INCONCLUSIVE, True, "failure"),
    (Outcome.NOT_APPLICABLE, True, "skipped"),
    (Outcome.FAIL, False, "failure"),
    (Outcome.ERROR, False, "error"),
    (Outcome.NOT_RUN, False, "skipped"),
    (Outcome.INCONCLUSIVE, False, "skipped"),
]


@pytest.mark.parametrize(("outcome", "required", "kind"), CASES)
def test_junit_is_never_green_by_accident(outcome: Outcome, *, required: bool, kind: str | None) -> None:
    """Only PASS and ATTESTED are green; what blocks is red, whatever its outcome; the rest is skipped."""
    item = "PERF-3" if required else "ROL-2"
    told = {item: [samples.verdict(outcome, "a claim", "a reason")]}
    root = ET.fromstring(render.junit(samples.report(samples.plan("production"), samples.BAD | told, [])))  # noqa: S314 - our own
    case = next(case for case in root.iter("testcase") if case.get("name", "").startswith(item))
    kinds = [child.tag for child in case if child.tag != "system-out"]
    assert kinds == ([kind] if kind else [])


def test_junit_says_the_decision(go: View, no_go: View) -> None:
    """The decision is a case of its own: red unless the answer is GO, skipped for a partial run."""
    partial = samples.report(samples.plan("rehearsal", selected=("PERF-3",)), samples.GOOD, [])
    kinds = [[child.tag for child in ET.fromstring(render.junit(v))[0][0]] for v in (go, no_go, partial)]  # noqa: S314 - our own
    assert kinds == [["system-out"], ["failure", "system-out"], ["skipped", "system-out"]]


def test_the_page_needs_nothing_from_outside(no_go: View) -> None:
    """No script, no address to load from, and a policy that forbids both."""
    page = render.html(no_go)
    found = Page(page)
    assert not {"script", "iframe", "object", "form", "img", "base"} & set(found.tags)
    assert not {"src", "style", "onclick", "onload"} & found.attributes
    assert "default-src 'none'; style-src 'sha256-" in page


@pytest.mark.parametrize(
    ("profile", "kind", "mark"),
    [
        ("rehearsal", "local", "REHEARSAL - not evidence for production"),
        ("rehearsal", "runpod", "REHEARSAL - not evidence for production"),
        ("test", "local", "TEST - not evidence for production"),
        ("production", "local", "LOCAL ENDPOINT - not evidence for production"),
        ("production", "runpod", None),
    ],
)
def test_only_production_on_the_live_endpoint_is_not_watermarked(profile: Any, kind: Any, mark: str | None) -> None:
    """Whatever else was run is marked as no evidence for production, above and below."""
    made = samples.plan("production" if profile == "production" else "rehearsal")
    planned = msgspec.structs.replace(made, profile=profile, target=msgspec.structs.replace(made.target, kind=kind))
    page = render.html(samples.report(planned, samples.GOOD, []))
    assert page.count("not evidence for production") == (2 if mark else 0)
    assert page.count(mark or "<h1>") == (2 if mark else 1)


def test_timed_answers_are_watermarked() -> None:
    """One answer of the timed engine marks the whole report."""
    records = samples.level("c=1", 5, engine="timed")
    for view in (samples.bad_report(), samples.report(samples.plan("production"), samples.BAD, records)):
        assert ("TIMED ENGINE" in render.markdown(view)) is (len(view.figures.rows) == 1)


def test_dummy_weights_are_watermarked() -> None:
    """A model shape without its weights is named."""
    view = samples.report(samples.plan("rehearsal"), samples.GOOD, [], facts={"engine": {"load_format": "dummy"}})
    assert "DUMMY WEIGHTS" in render.checklist(view)


def test_a_misspelt_field_is_an_error(go: View) -> None:
    """Templates fill no gap silently."""
    with pytest.raises(jinja2.UndefinedError):
        render._markdown().from_string("{{ view.anwser }}").render(view=go)
    with pytest.raises(jinja2.UndefinedError):
        render._html().from_string("{{ view.anwser }}").render(view=go)


def test_all_files_are_written(go: View, tmp_path: Path) -> None:
    """Five files, none of them half written, no temporary file left."""
    files = render.write_all(go, tmp_path / "out")
    assert sorted(files) == [
        "GO_LIVE_CHECKLIST.md",
        "PERFORMANCE_VALIDATION.md",
        "junit.xml",
        "report.html",
        "report.md",
    ]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(files)
    assert files["report.md"].read_text(encoding="utf-8") == render.markdown(go)


def test_a_directory_that_cannot_be_written_is_named(go: View, tmp_path: Path) -> None:
    """One line names the directory."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(GoliveError, match="cannot write the report into"):
        render.write_all(go, tmp_path / "file")


def test_the_step_summary_is_appended_to(go: View, tmp_path: Path) -> None:
    """CI's step summary gets the Markdown report after what stands there; without one, nothing is written."""
    summary = tmp_path / "summary.md"
    summary.write_text("before\n", encoding="utf-8")
    assert render.step_summary(go, {"GITHUB_STEP_SUMMARY": str(summary)}) == summary
    assert summary.read_text(encoding="utf-8") == "before\n" + render.markdown(go) + "\n"
    assert render.step_summary(go, {}) is None
    with pytest.raises(GoliveError, match="GITHUB_STEP_SUMMARY"):
        render.step_summary(go, {"GITHUB_STEP_SUMMARY": str(tmp_path)})


def test_an_infinite_percentile_is_said_in_words() -> None:
    """Where a percentile falls on a failed request, every rendering says so and none shows a number for it."""
    told = samples.BAD | {"PERF-4": [samples.latency("c=1", 95, None, 8000, Outcome.FAIL, misses=60)]}
    records = samples.level("c=1", failed=range(60))
    view = samples.report(samples.plan("production"), told, records)
    assert math.isinf(max(record.total_ms for record in records))
    for shown in (render.html(view), render.markdown(view), render.performance_validation(view)):
        assert "no answer" in shown
        assert "inf ms" not in shown


def test_a_result_that_is_missing_is_not_run() -> None:
    """An item without any result is shown as NOT RUN and unticked."""
    view = samples.report(samples.plan("production"), {}, [])
    assert "- [x]" not in render.checklist(view)
    assert view.families[0].items[0].mark.word == "NOT RUN"
