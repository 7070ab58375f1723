"""A sweep as one page: no script, no request, nothing outside the file."""

import base64
import hashlib
from functools import cache
from importlib import resources

import jinja2
from markupsafe import Markup

from go_live.judge.summary import WORDS
from go_live.outcome import Outcome
from go_live.tuning import words
from go_live.tuning.drawing import plots
from go_live.tuning.judging import Tuning
from go_live.tuning.plan import TuningPlan

TONES = {Outcome.PASS: "good", Outcome.FAIL: "bad"}


def page(plan: TuningPlan, tuning: Tuning) -> str:
    """The page of a judged sweep."""
    css = _text("go_live.report", "report.css") + _text("go_live.tuning", "tuning.css")
    # The style sheets ship with the package and the plots are built, and escaped, by this package.
    return (
        _environment()
        .get_template("tuning.html.j2")
        .render(
            css=Markup(css),  # noqa: S704 - as said above
            css_digest=base64.b64encode(hashlib.sha256(css.encode()).digest()).decode(),
            drawn=Markup,
            word=f"CAP {tuning.cap}" if tuning.cap is not None else WORDS[tuning.outcome],
            tone=TONES.get(tuning.outcome, "warn"),
            plan=plan,
            tuning=tuning,
            words=words,
            plots=plots(plan, tuning),
        )
    )


def _text(package: str, name: str) -> str:
    return resources.files(package).joinpath("templates", name).read_text(encoding="utf-8")


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("go_live.tuning"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
