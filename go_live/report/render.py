"""The view model -> texts, and texts -> files. Templates place what the view says and decide nothing."""

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path

import jinja2
from markupsafe import Markup

from go_live.errors import GoliveError
from go_live.evidence.run_directory import write_atomically
from go_live.report import text
from go_live.report.junit import junit
from go_live.report.model import View
from go_live.report.terminal import terminal

__all__ = ["checklist", "html", "junit", "markdown", "performance_validation", "step_summary", "terminal", "write_all"]

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"


def html(view: View) -> str:
    """The whole report as one page: no script, no request, nothing outside the file."""
    css = resources.files("go_live.report").joinpath("templates", "report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    # The style sheet ships with the package and the charts are built, and escaped, by this package.
    page = _html().get_template("report.html.j2")
    return page.render(view=view, css=Markup(css), css_digest=digest, drawn=Markup)  # noqa: S704 - as said above


def markdown(view: View) -> str:
    """The whole report as Markdown, without its drawings."""
    return _render("report.md.j2", view)


def checklist(view: View) -> str:
    """GO_LIVE_CHECKLIST.md, filled: a tick only where an item holds."""
    return _render("checklist.md.j2", view)


def performance_validation(view: View) -> str:
    """PERFORMANCE_VALIDATION.md in the form of the readiness summary."""
    return _render("performance_validation.md.j2", view)


def write_all(view: View, directory: Path) -> dict[str, Path]:
    """Write every rendering into ``directory``, each file at once or not at all.

    Returns:
        File name -> path.

    Raises:
        GoliveError: the directory cannot be written to.
    """
    texts = {
        "report.html": html(view),
        "report.md": markdown(view),
        "junit.xml": junit(view),
        "GO_LIVE_CHECKLIST.md": checklist(view),
        "PERFORMANCE_VALIDATION.md": performance_validation(view),
    }
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, content in texts.items():
            write_atomically(directory / name, content.encode())
    except OSError as error:
        raise GoliveError(f"cannot write the report into {directory}: {error}") from error
    return {name: directory / name for name in texts}


def step_summary(view: View, environment: Mapping[str, str]) -> Path | None:
    """Append the Markdown report to the step summary that CI offers; None when it offers none.

    Raises:
        GoliveError: the file cannot be written to.
    """
    name = environment.get(STEP_SUMMARY)
    if not name:
        return None
    try:
        with Path(name).open("a", encoding="utf-8") as file:
            file.write(markdown(view) + "\n")
    except OSError as error:
        raise GoliveError(f"cannot write the step summary {name} ({STEP_SUMMARY}): {error}") from error
    return Path(name)


def _render(template: str, view: View) -> str:
    return _markdown().get_template(template).render(view=view)


@cache
def _html() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("go_live.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _markdown() -> jinja2.Environment:
    """Every value a template prints is escaped for Markdown, as autoescape does for HTML."""
    return jinja2.Environment(  # noqa: S701 - Markdown: finalize escapes what autoescape would escape for HTML
        loader=jinja2.PackageLoader("go_live.report"),
        finalize=_escaped,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _escaped(value: object) -> str:
    return text.markdown(str(value))  # of an undefined value, str raises
